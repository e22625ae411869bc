"""Ledgers for tests that fail their engine at a chosen moment: cut off, late with an answer, or losing one."""

import asyncio

from genesis.errors import CommitUnknown, Unavailable


class Wrapped:
    """A ledger that passes everything on."""

    def __init__(self, ledger):
        self._ledger = ledger

    def __getattr__(self, name):
        return getattr(self._ledger, name)


class Cut(Wrapped):
    """A ledger that its process cannot reach while it is cut off."""

    def __init__(self, ledger):
        super().__init__(ledger)
        self.cut_off = False

    def __getattr__(self, name):
        found = getattr(self._ledger, name)
        return found if name == "exclusive" else self._unless_cut(found)

    def _unless_cut(self, method):
        async def called(*arguments, **named):
            if self.cut_off:
                raise Unavailable("Cut off.")
            return await method(*arguments, **named)

        return called


class Late(Wrapped):
    """A ledger of which one method can be stopped on its way, before its work or after it.

    Attributes:
        stopped: set once a call of the method has come so far.
        let_through: lets it go on, and all later ones.
    """

    def __init__(self, ledger):
        super().__init__(ledger)
        self.stopped = asyncio.Event()
        self.let_through = asyncio.Event()

    def stop_before(self, method):
        """From now on, calls of the method wait before they do anything."""
        work = getattr(self._ledger, method)

        async def called(*arguments, **named):
            await self._wait()
            return await work(*arguments, **named)

        setattr(self, method, called)

    def stop_after(self, method):
        """From now on, calls of the method that came to something wait with their answer; the work is done."""
        work = getattr(self._ledger, method)

        async def called(*arguments, **named):
            answer = await work(*arguments, **named)
            if answer != []:
                await self._wait()
            return answer

        setattr(self, method, called)

    async def _wait(self):
        self.stopped.set()
        await self.let_through.wait()


class Losing(Wrapped):
    """A ledger of which single answers can be lost."""

    def __init__(self, ledger):
        super().__init__(ledger)
        self.lost = asyncio.Event()

    def lose(self, method):
        """The next answer of the method that is not empty is lost, after its work is done."""
        work = getattr(self._ledger, method)

        async def called(*arguments, **named):
            answer = await work(*arguments, **named)
            if answer != [] and not self.lost.is_set():
                self.lost.set()
                raise CommitUnknown("The answer is lost.")
            return answer

        setattr(self, method, called)

    def refuse(self, method, times):
        """The method does nothing for the next so many times."""
        work = getattr(self._ledger, method)

        async def called(*arguments, **named):
            nonlocal times
            if times:
                times -= 1
                raise Unavailable("Away for a moment.")
            return await work(*arguments, **named)

        setattr(self, method, called)
