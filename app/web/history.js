// Streamlit's client empties a page's address before it leaves for another, and comes back to a page without telling
// the server what its address says: going back would lose every filter. What is chosen on a page changes its address in
// place; another page is one step; a step back to filters loads the page anew.
(() => {
  const push = history.pushState.bind(history);
  const change = history.replaceState.bind(history);
  const LEAVING_MS = 3000;
  let emptied = 0;
  let here = location.pathname;
  history.pushState = (state, title, address) => {
    clearTimeout(emptied);
    const to = new URL(address ?? location.href, location.href);
    if (to.pathname !== location.pathname) {
      push(state, title, address);
      here = to.pathname;
    } else if (to.search || !location.search) {
      change(state, title, address);
    } else {
      emptied = setTimeout(change, LEAVING_MS, state, title, address);
    }
  };
  window.addEventListener("popstate", (event) => {
    clearTimeout(emptied);
    if (location.pathname !== here && location.search) {
      event.stopImmediatePropagation();
      location.reload();
    }
    here = location.pathname;
  });
})();
