"""The compiled loops, where there is a C compiler; everything else is in pyproject.toml."""

import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDER = Path("skmlp", "engine", "kernels")
GNU = ["-std=gnu11", "-O3", "-g0", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"]
# MSVC takes the pragmas of the others for unknown, and would load a runtime library for OpenMP's.
FLAGS = {"unix": GNU, "mingw32": GNU, "msvc": ["/std:c11", "/O2", "/wd4068"]}
# One wheel for all versions of Python, but for those without an interpreter's lock.
ONE_ABI = not sysconfig.get_config_var("Py_GIL_DISABLED")


class BuildLoops(build_ext):
    """Flags that let the compiler vectorise, and keep NaN and infinity what they are."""

    def build_extensions(self):
        for extension in self.extensions:
            extension.extra_compile_args = FLAGS.get(self.compiler.compiler_type, [])
        super().build_extensions()


setup(
    ext_modules=[
        Extension(
            "skmlp.engine.kernels.compiled",
            [str(FOLDER / "compiled.c")],
            depends=[str(path) for path in sorted(FOLDER.glob("*.inc"))],
            py_limited_api=ONE_ABI,
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLoops},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if ONE_ABI else {},
)
