/* The hot loops of small fits, for one network each: epochs of adam and sgd, the objective with its
   gradient, and searches. Matrix products are those of SciPy's BLAS, whose routines are handed over
   as the capsules of scipy.linalg.cython_blas.

   Every call works on arrays that the caller owns and has checked; the interpreter's lock is
   released while it works, and taken again every fiftieth of a second to look for an interrupt. */

#include <pyconfig.h>
#ifndef Py_GIL_DISABLED
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Functions compiled for several instruction sets take a linker that chooses at run time (glibc's),
   and compilers that know the levels of x86-64: gcc 12, clang 18. */
#if defined(__clang__)
#define KNOWS_LEVELS (__clang_major__ >= 18)
#elif defined(__GNUC__)
#define KNOWS_LEVELS (__GNUC__ >= 12)
#else
#define KNOWS_LEVELS 0
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && KNOWS_LEVELS && !defined(ONE_INSTRUCTION_SET)
#define VECTORS __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#define CLONED 1
#else
#define VECTORS
#define CLONED 0
#endif
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

#define MOST_LAYERS 64
#define LEAKY_SLOPE 0.01

typedef ptrdiff_t Index; /* of numbers, as long as memory is: a long has 32 bits on Windows */

enum { SQUARED_ERROR, POISSON, ABSOLUTE_ERROR, HUBER, QUANTILE, GAMMA, TWEEDIE, LOG_LOSS, MULTINOMIAL };
enum { L2_PART = 1, OTHER_PARTS = 2 };

/* numpy/random/bitgen.h */
typedef struct {
  void *state;
  uint64_t (*next_uint64)(void *);
  uint32_t (*next_uint32)(void *);
  double (*next_double)(void *);
  uint64_t (*next_raw)(void *);
} bitgen_t;

/* A network: entry k of sizes is the width of layer k, the input's first; weights and biases say
   where those of layer k lie in the flat row. */
typedef struct {
  int n_layers, activation, keeps_input, loss;
  double loss_number; /* of a loss that has one */
  Index size, n_weights;
  const int64_t *sizes, *weights, *biases;
} Program;

/* The numbers of a training, read and written. */
typedef struct {
  double is_adam, learning_rate, momentum, nesterov, beta_2, epsilon;
  double decay_1, decay_2;                  /* products of adam's betas */
  double max_epochs, best, tol, n_no_change; /* the stopping rule */
  double no_change;
  double n_done; /* epochs */
} Numbers;

typedef struct {
  PyObject *check; /* called with the lock */
  struct timespec next;
  PyThreadState *thread;
} Interrupt;

INLINE Index padded(Index n) { return (n + 15) / 16 * 16 + 16; }

static void later(struct timespec *when) {
  timespec_get(when, TIME_UTC);
  when->tv_nsec += 20000000;
  if (when->tv_nsec >= 1000000000) when->tv_sec++, when->tv_nsec -= 1000000000;
}

/* Whether to stop: signal handlers have run, and what they raised is set. */
static int interrupted(Interrupt *interrupt) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  double left = difftime(interrupt->next.tv_sec, now.tv_sec) +
                1e-9 * (double)(interrupt->next.tv_nsec - now.tv_nsec);
  if (left > 0 && left < 1) return 0; /* the clock may have been set back */
  PyEval_RestoreThread(interrupt->thread);
  int failed = PyErr_CheckSignals();
  if (!failed) {
    PyObject *result = PyObject_CallNoArgs(interrupt->check);
    failed = result == NULL;
    Py_XDECREF(result);
  }
  interrupt->thread = PyEval_SaveThread();
  later(&interrupt->next);
  return failed;
}

/* numpy's RandomState.shuffle. */
static void shuffle(bitgen_t *bits, int64_t *order, Index n) {
  for (Index i = n - 1; i > 0; i--) {
    uint64_t mask = (uint64_t)i, value;
    for (int by = 1; by < 64; by *= 2) mask |= mask >> by;
    if (mask <= 0xffffffffUL)
      do value = bits->next_uint32(bits->state) & mask;
      while (value > (uint64_t)i);
    else
      do value = bits->next_uint64(bits->state) & mask;
      while (value > (uint64_t)i);
    int64_t kept = order[value];
    order[value] = order[i];
    order[i] = kept;
  }
}

/* The weights of g and g^2 in their bias-corrected averages, epsilon, and the learning rate. */
static void adam_coefficients(Numbers *n, double *coefficients) {
  n->decay_1 *= n->momentum;
  n->decay_2 *= n->beta_2;
  double left = 1 - n->decay_2;
  coefficients[0] = (1 - n->momentum) / (1 - n->decay_1);
  coefficients[1] = (1 - n->beta_2) / left;
  coefficients[2] = n->epsilon / sqrt(left);
  coefficients[3] = n->learning_rate;
}

/* Whether an epoch's loss ends the training: no improvement for too long, or no number. */
static int stops(Numbers *n, double loss) {
  n->no_change = loss > n->best - n->tol ? n->no_change + 1 : 0;
  if (loss < n->best) n->best = loss;
  return !isfinite(loss) || n->no_change > n->n_no_change;
}

#define R float
#define SUFFIX _single
#define BITS int32_t
#define UNSIGNED uint32_t
#define SHIFT 0x1.8p23f
#define BIAS 127
#define MANTISSA 23
#define LOG2_HIGH 0.693145751953125f
#define LOG2_LOW 1.42860682030941723212e-6f
#define LEAST -103.972084f
#define LARGEST 88.7228394f
#define FAR_ 80
#define SERIES(r)                                                                                  \
  (0.5f + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r * (1.f / 720 + r * (1.f / 5040))))))
#define ATANH_SERIES(s)                                                                            \
  (1.f / 3 + s * (1.f / 5 + s * (1.f / 7 + s * (1.f / 9 + s * (1.f / 11 + s * (1.f / 13 + s * (1.f / 15)))))))
INLINE float root_single(float x) { return sqrtf(x); }
INLINE float absolute_single(float x) { return fabsf(x); }
INLINE float with_sign_single(float size, float sign) { return copysignf(size, sign); }
#define ERFC_TERMS 13
#define ERFC_REACH 8.9f
#define ERFC_SERIES \
  {1.237512631f, -1.40240659e-1f, 3.585438016e-3f, 8.22784339e-2f, -1.088045645e-1f, \
   9.229069167e-2f, -5.868825205e-2f, 2.840943039e-2f, -9.764690498e-3f, 1.675734251e-3f, \
   3.253884646e-4f, -2.240520495e-4f, 2.363482007e-5f}
#include "elementwise.inc"
#include "network.inc"
#include "losses.inc"
#include "training.inc"
#undef R
#undef SUFFIX
#undef BITS
#undef UNSIGNED
#undef SHIFT
#undef BIAS
#undef MANTISSA
#undef LOG2_HIGH
#undef LOG2_LOW
#undef LEAST
#undef LARGEST
#undef FAR_
#undef SERIES
#undef ATANH_SERIES
#undef ERFC_TERMS
#undef ERFC_REACH
#undef ERFC_SERIES
#undef JOIN_
#undef JOIN
#undef FN
#undef ACTIVATE
#undef ACTIVATE_KEEPING
#undef PASS_BACK
#undef GATHER

#define R double
#define SUFFIX _double
#define BITS int64_t
#define UNSIGNED uint64_t
#define SHIFT 0x1.8p52
#define BIAS 1023
#define MANTISSA 52
#define LOG2_HIGH 6.93147180369123816490e-01
#define LOG2_LOW 1.90821492927058770002e-10
#define LEAST -745.13321910194122
#define LARGEST 709.78271289338397
#define FAR_ 700
#define SERIES(r)                                                                                  \
  (1. / 2 + r * (1. / 6 + r * (1. / 24 + r * (1. / 120 + r * (1. / 720 + r * (1. / 5040 +         \
   r * (1. / 40320 + r * (1. / 362880 + r * (1. / 3628800 + r * (1. / 39916800 +                  \
   r * (1. / 479001600 + r * (1. / 6227020800))))))))))))
#define ATANH_SERIES(s)                                                                            \
  (1. / 3 + s * (1. / 5 + s * (1. / 7 + s * (1. / 9 + s * (1. / 11 + s * (1. / 13 +               \
   s * (1. / 15 + s * (1. / 17 + s * (1. / 19 + s * (1. / 21 + s * (1. / 23 + s * (1. / 25 +      \
   s * (1. / 27 + s * (1. / 29 + s * (1. / 31 + s * (1. / 33))))))))))))))))
INLINE double root_double(double x) { return sqrt(x); }
INLINE double absolute_double(double x) { return fabs(x); }
INLINE double with_sign_double(double size, double sign) { return copysign(size, sign); }
#define ERFC_TERMS 25
#define ERFC_REACH 26
#define ERFC_SERIES \
  {1.2375126308378275819, -1.4024059858554696191e-1, 3.5854154854637749642e-3, \
   8.2276738490145159123e-2, -1.0880393014171785779e-1, 9.2304321160378767141e-2, \
   -5.8693398590212367225e-2, 2.8362277418940664799e-2, -9.7465795525042429682e-3, \
   1.7556258530017257945e-3, 2.9371363428500812575e-4, -2.901540809795271307e-4, \
   5.1649211390702851871e-5, 2.2384240314224438333e-5, -1.1444412439171723062e-5, \
   -9.735619015182663294e-7, 1.7520579701663181024e-6, -5.721597255990987179e-8, \
   -2.5910696877966578529e-7, 2.3261913276696567394e-8, 3.8965452548985968109e-8, \
   -3.7435680336345832166e-9, -5.2842869796314205662e-9, 3.1103107198391649931e-10, \
   4.4349590700096282602e-10}
#include "elementwise.inc"
#include "network.inc"
#include "losses.inc"
#include "training.inc"

/* What Python hands over: buffers, released together. */

#define MOST_BUFFERS 32
typedef struct {
  Py_buffer views[MOST_BUFFERS];
  int n;
  int failed;
} Buffers;

/* The memory of an array in C order, NULL for None. */
static void *memory_of(Buffers *buffers, PyObject *array, int writable) {
  if (buffers->failed || array == Py_None) return NULL;
  Py_buffer *view = &buffers->views[buffers->n];
  if (PyObject_GetBuffer(array, view, writable ? PyBUF_WRITABLE : PyBUF_SIMPLE) != 0) {
    buffers->failed = 1;
    return NULL;
  }
  buffers->n++;
  return view->buf;
}

static void release(Buffers *buffers) {
  while (buffers->n > 0) PyBuffer_Release(&buffers->views[--buffers->n]);
}

static Program program_of(Buffers *buffers, PyObject *array) {
  Program p = {0};
  const int64_t *ints = memory_of(buffers, array, 0);
  if (!ints) return p;
  p.n_layers = (int)ints[0], p.activation = (int)ints[1], p.keeps_input = (int)ints[2];
  p.loss = (int)ints[3], p.size = (Index)ints[5], p.n_weights = (Index)ints[6];
  memcpy(&p.loss_number, ints + 4, sizeof p.loss_number);
  p.sizes = ints + 7;
  p.weights = p.sizes + p.n_layers + 1;
  p.biases = p.weights + p.n_layers + 1;
  return p;
}

#undef R
#undef SUFFIX
#define R float
#define SUFFIX _single
#include "calls.inc"
#undef R
#undef SUFFIX
#define R double
#define SUFFIX _double
#include "calls.inc"
#include "quasi_newton.inc"
#include "search.inc"
#include "active_set.inc"

/* A capsule of scipy.linalg.cython_blas -> the address of its function, and its signature. */
static PyObject *address(PyObject *self, PyObject *capsule) {
  const char *signature = PyCapsule_GetName(capsule);
  void *pointer = PyCapsule_GetPointer(capsule, signature);
  return pointer ? Py_BuildValue("(Ns)", PyLong_FromVoidPtr(pointer), signature) : NULL;
}

/* The size in bytes of the buffers of a batch: (program, n_rows, is_double). */
static PyObject *bytes_of_work(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
  if (n_args != 3) return PyErr_Format(PyExc_TypeError, "3 arguments, got %zd", n_args);
  Buffers buffers = {.n = 0};
  Program p = program_of(&buffers, args[0]);
  Index n_rows = PyLong_AsSsize_t(args[1]);
  Index size = PyLong_AsLong(args[2]) ? 8 : 4;
  if (buffers.failed || PyErr_Occurred()) return release(&buffers), NULL;
  Index numbers = 2 * padded(p.size) + padded(n_rows * (Index)p.sizes[0]);
  for (int k = 1; k <= p.n_layers; k++) numbers += 3 * padded(n_rows * (Index)p.sizes[k]);
  release(&buffers);
  return PyLong_FromSsize_t(numbers * size);
}

static const char *instruction_set(void) {
#if CLONED
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
  return "baseline";
}

#define FAST(f) ((PyCFunction)(void (*)(void))f), METH_FASTCALL
static PyMethodDef METHODS[] = {
    {"address", address, METH_O, "Address of a capsule's function."},
    {"bytes_of_work", FAST(bytes_of_work), "Bytes that the calls work in."},
    {"search", FAST(call_search), "PANOC."},
    {"row_sweeps", FAST(call_row_sweeps), "Coordinate descent with norms of rows."},
    {"active_set", FAST(call_active_set), "Quadratics with an L1 penalty."},
    {"epochs_single", FAST(call_epochs_single), "Epochs in float32."},
    {"epochs_double", FAST(call_epochs_double), "Epochs in float64."},
    {"objective_single", FAST(call_objective_single), "Objective in float32."},
    {"objective_double", FAST(call_objective_double), "Objective in float64."},
    {"outputs_single", FAST(call_outputs_single), "Outputs in float32."},
    {"outputs_double", FAST(call_outputs_double), "Outputs in float64."},
    {"exp_single", FAST(call_exp_single), "e^x in float32."},
    {"exp_double", FAST(call_exp_double), "e^x in float64."},
    {"activation_single", FAST(call_activation_single), "An activation and its slope in float32."},
    {"activation_double", FAST(call_activation_double), "An activation and its slope in float64."},
    {NULL, NULL, 0, NULL}};

static int fill(PyObject *module) {
  return PyModule_AddStringConstant(module, "INSTRUCTION_SET", instruction_set());
}
static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, fill}, {0, NULL}};
static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "compiled", "The hot loops, compiled.", 0,
                                    METHODS, SLOTS, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_compiled(void) { return PyModuleDef_Init(&MODULE); }
