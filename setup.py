"""The compiled loops, where there is a C compiler; everything else is in pyproject.toml."""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDER = Path("skmlp", "engine", "kernels")
GNU = ["-std=gnu11", "-O3", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"]
FLAGS = {"unix": GNU, "mingw32": GNU, "msvc": ["/std:c11", "/O2", "/openmp:experimental"]}


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
            py_limited_api=True,
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLoops},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
