"""Compile functions that are inlined into loops, without machine code of their own.

Numba makes machine code of each function that a loop calls, though the loop inlines it. That takes
a quarter of the compilation of a loop with many such functions. Here they have LLVM's code alone.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering


class _InlinedCode(JITCodeLibrary):  # type: ignore[misc]
    """The code of a function that is linked to its callers alone."""

    def _finalize_final_module(self) -> None:
        """Skip what makes machine code of the optimised module."""
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerInlined(NativeLowering):  # type: ignore[misc]
    """The pass that makes LLVM's code of a function."""

    _name = "xgradient_lower_inlined"

    def run_pass(self, state: Any) -> bool:
        """Lower a function, and let its callers link to the code."""
        state.library = _InlinedCode(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        # Numba tells functions apart by their entry points. Python never calls this one, but it
        # must be a built-in function: a bound one is unique.
        entry_point = object().__reduce__
        state.targetctx.insert_user_function(entry_point, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=entry_point)
        return True


class InlinedCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's compiler with another last step."""

    def define_pipelines(self) -> list[Any]:
        """Return numba's passes, with ours in place of the one that makes machine code."""
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.passes[:] = [
            (_LowerInlined if each is NativeLowering else each, text)
            for each, text in manager.passes
        ]
        manager.finalize()
        return [manager]
