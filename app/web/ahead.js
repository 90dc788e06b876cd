// In the place of the module by which Streamlit's client loads a kind of element when it first meets one. React draws
// an empty box for what is not there yet, and shows what came for it in steps of 300 ms, however early it came. The
// kinds that pages are made of are asked for at the start, and those that are there by then are given at once.
import { t as load } from "HELPER?as-it-is";

const there = new Map();
for (const name of KINDS) {
  import(`./${name}`).then(
    (kind) => there.set(name, kind),
    () => {},
  );
}

export const t = (ask, needs, from) => {
  const kind = there.get(/`\.\/([^`]+)`/.exec(ask)?.[1]);
  if (!kind) return load(ask, needs, from);
  // React takes the answer of what calls back at once; of a promise it would have to wait for it.
  return Object.assign(Promise.resolve(kind), {
    then: (done) => Promise.resolve(done ? done(kind) : kind),
  });
};
