"""Work that takes long has threads of its own: it never takes those that everything else needs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.to_thread

from app.web.places import Places


def looped(work, *given):
    """In a thread of its own: in this one a browser of other tests may have left a loop that runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, work, *given).result()


def test_so_many_work_at_once_and_no_thread_of_others_is_taken():
    """Nine pieces of work and two places: two run at once, and all threads of the others stay free meanwhile."""
    places, running, most, lock = Places("tests", 2), [], [], threading.Lock()

    def work():
        with lock:
            running.append(1)
            most.append(len(running))
        time.sleep(0.02)
        with lock:
            running.pop()

    async def all_of_it():
        free = []
        async with anyio.create_task_group() as group:
            for _ in range(9):
                group.start_soon(places.run, work)
            await anyio.sleep(0.03)
            free.append(anyio.to_thread.current_default_thread_limiter().borrowed_tokens)
        return free

    assert looped(all_of_it) == [0]
    assert len(most) == 9
    assert max(most) == 2


def test_places_serve_one_loop_after_the_other():
    places = Places("loops", 1)
    assert [looped(places.run, lambda number=number: number) for number in (1, 2)] == [1, 2]
