"""Asking in a thread of its own, so that who waits for the answer can give up.

A blocked read of the driver cannot be cancelled: the thread of a question that was given up is left behind
and ends with it. A thread whose question was answered waits for the next one: to start one took 2 ms on two
busy cores, and a short question takes 1.
"""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Ask = Callable[[], Any]
Answer = tuple[Any, BaseException | None]


Questions = SimpleQueue[tuple[Ask, SimpleQueue[Answer]] | None]


class Aside:
    """Threads that ask; as many as ask at once."""

    def __init__(self) -> None:
        self._idle: list[tuple[Questions, threading.Thread]] = []
        self._given_up: list[threading.Thread] = []

    def within(self, seconds: float, ask: Callable[[], T]) -> T:
        """Return what `ask` returns, or raise what it raises.

        Raises
        ------
        TimeoutError
            It took longer than `seconds`; what it makes of it then is lost.
        """
        try:
            questions, thread = self._idle.pop()
        except IndexError:
            questions = SimpleQueue()
            thread = threading.Thread(target=_work, args=(questions,), daemon=True)
            thread.start()
        answers: SimpleQueue[Answer] = SimpleQueue()
        questions.put((ask, answers))
        try:
            found, error = answers.get(timeout=seconds)
        except BaseException as given_up:
            questions.put(None)
            self._given_up = [*filter(threading.Thread.is_alive, self._given_up), thread]
            if isinstance(given_up, Empty):
                raise TimeoutError from None
            raise
        self._idle.append((questions, thread))
        if error is not None:
            raise error
        answer: T = found
        return answer

    def close(self, seconds: float = 0.0) -> None:
        """End the threads that wait for a question; those that were given up have so many seconds to end."""
        while self._idle:
            self._idle.pop()[0].put(None)
        until = time.monotonic() + seconds
        while self._given_up:
            self._given_up.pop().join(max(0.0, until - time.monotonic()))


def _work(questions: Questions) -> None:
    while (question := questions.get()) is not None:
        ask, answers = question
        answer: Answer
        try:
            answer = ask(), None
        except BaseException as error:
            answer = None, error
        answers.put(answer)
        # nothing of it is kept while the next question is waited for
        del question, ask, answers, answer
