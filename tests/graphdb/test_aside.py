"""Questions asked in a thread of their own: what is waited for, and what is given up."""

import threading
import time

import pytest

from graphdb.aside import Aside


def test_answers_and_errors_come_back_and_the_thread_is_used_again() -> None:
    aside = Aside()
    first = aside.within(5.0, threading.get_ident)
    with pytest.raises(ZeroDivisionError):
        aside.within(5.0, lambda: 1 // 0)
    assert aside.within(5.0, threading.get_ident) == first != threading.get_ident()
    aside.close()


def test_what_is_given_up_holds_up_nothing() -> None:
    aside, go_on = Aside(), threading.Event()
    late: list[int] = []

    def wait() -> None:
        late.append(threading.get_ident())
        go_on.wait()

    with pytest.raises(TimeoutError):
        aside.within(0.05, wait)
    assert aside.within(5.0, threading.get_ident) not in late
    go_on.set()
    left = next((thread for thread in threading.enumerate() if thread.ident in late), None)
    if left is not None:
        left.join(5.0)
        assert not left.is_alive()
    aside.close()


def test_several_ask_at_once() -> None:
    aside, both = Aside(), threading.Barrier(2, timeout=5.0)
    asking = [threading.Thread(target=aside.within, args=(5.0, both.wait)) for _ in range(2)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(5.0)
    assert not both.broken
    aside.close()


def test_what_is_about_to_end_is_waited_for_and_what_is_not_is_left() -> None:
    aside, begun, never = Aside(), threading.Event(), threading.Event()
    ended: list[int] = []

    def end_soon() -> None:
        begun.set()
        never.wait(0.3)
        ended.append(1)

    with pytest.raises(TimeoutError):
        aside.within(0.05, end_soon)
    assert begun.wait(5.0)
    aside.close(5.0)
    assert ended == [1]
    with pytest.raises(TimeoutError):
        aside.within(0.05, lambda: never.wait(30.0))
    began = time.monotonic()
    aside.close(0.1)
    assert time.monotonic() - began < 5.0
    never.set()
