"""Asking for memory before it is read.

Rows of tokens are read in an order that the processor cannot foresee; a kernel can, and says so. Without it a
row costs a wait of some hundred nanoseconds, as long as all the sums over it.
"""

from typing import Any, TypeAlias

from llvmlite import ir  # type: ignore[import-untyped]  # it ships no types
from numba.core import cgutils, types
from numba.extending import intrinsic

Untyped: TypeAlias = Any
"""What numba's compiler hands over."""


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def prefetch(_: Untyped, array: Untyped, place: Untyped) -> Untyped:
    """In a kernel: ask for the cache line of ``array[place]``, without waiting; `place` is not checked."""

    def build(context: Untyped, builder: Untyped, signature: Untyped, arguments: Untyped) -> Untyped:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        builder.call(function, [address, word(0), word(3), word(1)])  # for reading, into all caches, data
        return context.get_dummy_value()

    return types.void(array, place), build
