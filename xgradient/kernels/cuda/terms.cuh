// Sums of terms on a GPU: one thread makes a few cells, and writes each once.
//
// A kernel of a few lines (see source.py) says how many dimensions there are, which terms are summed
// and which types they have; all else is here. Sums have the order of the compiled loops for NumPy
// arrays, so that the bits are the same.

#define INLINE __device__ __forceinline__

#ifdef __CUDACC__
INLINE float half_to_float(unsigned short bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}
INLINE unsigned short float_to_half(float value) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}
#endif

template <class R> struct alignas(2 * sizeof(R)) Complex { R x, y; };

// A half float in memory; sums of half floats are sums of floats.
struct Half { unsigned short bits; };

template <class R> INLINE Complex<R> operator+(Complex<R> a, Complex<R> b) {
    return {a.x + b.x, a.y + b.y};
}
template <class R> INLINE Complex<R> operator-(Complex<R> a, Complex<R> b) {
    return {a.x - b.x, a.y - b.y};
}
template <class R> INLINE Complex<R> operator*(R a, Complex<R> b) { return {a * b.x, a * b.y}; }

// A cell of a field as a number of the type that is summed.
template <class F> INLINE F number(F cell) { return cell; }
INLINE float number(Half cell) { return half_to_float(cell.bits); }
template <class F, class R> INLINE void convert(F from, R& to) { to = (R)from; }
template <class F, class R> INLINE void convert(F from, Complex<R>& to) { to = {(R)from, 0}; }
template <class P, class R> INLINE void convert(Complex<P> from, Complex<R>& to) {
    to = {(R)from.x, (R)from.y};
}
template <class T, class F> INLINE T read(const F* f, Index at) {
    T total;
    convert(number(f[at]), total);
    return total;
}

template <class T> INLINE void write(T* g, Index at, T total) { g[at] = total; }
INLINE void write(Half* g, Index at, float total) { g[at].bits = float_to_half(total); }

template <class R> INLINE bool missing(R a) { return a != a; }
template <class R> INLINE bool missing(Complex<R> a) { return a.x != a.x || a.y != a.y; }

template <class R> INLINE R size(R a) { return fabs(a); }
template <class R> INLINE R size(Complex<R> a) { return hypot(a.x, a.y); }

// Root of the sum of squares. Large and small numbers are multiplied with powers of two, because
// their squares overflow or vanish.
template <class T> INLINE T root_of_squares(T total, T part) {
    auto a = size(total), b = size(part), one = decltype(a)(1);
    auto high = a > b ? a : b;
    const bool is_float = sizeof(high) == 4;
    auto large = is_float ? decltype(a)(0x1p50) : decltype(a)(0x1p500);
    auto up = is_float ? decltype(a)(0x1p100) : decltype(a)(0x1p600);
    auto scale = high > large ? one / up : high < one / large ? up : one;
    auto back = high > large ? up : high < one / large ? one / up : one;
    a *= scale, b *= scale;
    T result;
    convert(back * sqrt(a * a + b * b), result);
    return result;
}
template <class T> INLINE T magnitude(T part) {
    T result;
    convert(size(part), result);
    return result;
}

// A cell by its indices along the dimensions.
typedef Index Cell[DIMS];

// Reads the numbers that the kernel was called with, one after the other.
struct Reader {
    const long long* at;
    INLINE Index next() { return (Index)*at++; }
    template <class P> INLINE P* pointer() { return (P*)*at++; }
};

template <class P> struct Array {
    P* p;
    Index steps[DIMS];
    INLINE explicit Array(Reader& in) : p(in.pointer<P>()) {
        for (int d = 0; d < DIMS; ++d) steps[d] = in.next();
    }
    // Index of a cell in memory, or of the start of its line along an axis.
    INLINE Index at(const Cell& cell, int without = -1) const {
        Index sum = 0;
        for (int d = 0; d < DIMS; ++d) sum += d == without ? 0 : cell[d] * steps[d];
        return sum;
    }
};

// Windows by the number of valid nodes before and after a row's own.
template <class R> struct MaskedStencil {
    const R* table;
    const long long *kinds, *starts, *widths;
    Index reach, low, high, wide, columns;
    INLINE void read(Reader& in) {
        table = in.pointer<const R>(), kinds = in.pointer<const long long>();
        starts = in.pointer<const long long>(), widths = in.pointer<const long long>();
        reach = in.next(), low = in.next(), high = in.next();
        wide = in.next(), columns = in.next();
    }
};

// A stencil along one axis. WEIGHT_MODE is that of requests.py: no weight (0), one that the sum is
// multiplied with (1), one that is multiplied with the field itself and added (2), or one that the
// sum less the stretching times the second difference is multiplied with (3).
// MASKED stencils have other windows next to missing values.
template <class F, class A, class T, class R, int AXIS, int WIDTH, bool UNIFORM, int WEIGHT_MODE,
          bool MASKED>
struct Term {
    Array<const F> f;
    Array<const A> before, after;
    Array<const R> weight, stretching;
    const R *interior, *boundary;
    const long long* windows;  // row, start and width of each boundary window
    Index first, last, offset, own, length, reach, wide;
    R shared[WIDTH];  // coefficients that all rows share
    MaskedStencil<R> masked;

    INLINE explicit Term(Reader& in)
        : f(in), before(in), after(in), weight(in), stretching(in), interior(in.pointer<const R>()),
          boundary(in.pointer<const R>()), windows(in.pointer<const long long>()), first(in.next()),
          last(in.next()), offset(in.next()), own(in.next()), length(in.next()), reach(in.next()),
          wide(in.next()) {
        for (int k = 0; UNIFORM && k < WIDTH - 1; ++k) shared[k] = interior[k];
        if (MASKED) masked.read(in);
    }

    // Whether all rows from a cell's to one some rows further on are interior ones.
    INLINE bool inside(const Cell& cell, Index further) const {
        return first <= cell[AXIS] && cell[AXIS] + (AXIS == DIMS - 2 ? further : 0) < last;
    }

    // The value at a cell in the interior, whose window lies within the field.
    INLINE T inner(const Cell& cell) const {
        T total = whole(cell);
        if (MASKED && missing(total)) total = masked_window(cell);
        return weighted(total, cell, true);
    }

    // The value at any cell: the nodes of a window may be cells before or after the field.
    INLINE T any(const Cell& cell) const {
        if (first <= cell[AXIS] && cell[AXIS] < last) return inner(cell);
        Index node = cell[AXIS] + own;
        if (MASKED) {
            bool between = masked.low < node && node + 1 < masked.high;
            return weighted(masked_window(cell), cell, between);
        }
        Index e = cell[AXIS] < first ? cell[AXIS] : cell[AXIS] - (last - first);
        Index start = (Index)windows[3 * e + 1], width = (Index)windows[3 * e + 2];
        bool between = start < node && node + 1 < start + width;
        return weighted(window(start, width, boundary + e * wide, 1, cell), cell, between);
    }

    INLINE T whole(const Cell& cell) const {
        Index at = f.at(cell, AXIS) + (cell[AXIS] + offset) * f.steps[AXIS];
        T lower = read<T>(f.p, at), total = lower;
#pragma unroll
        for (int k = 0; k < WIDTH - 1; ++k) {
            T upper = read<T>(f.p, at + (k + 1) * f.steps[AXIS]);
            R c = UNIFORM ? shared[k] : interior[k * (last - first) + cell[AXIS] - first];
            T part = c * (upper - lower);
            total = k ? total + part : part;
            lower = upper;
        }
        return total;
    }

    // The sum over any window, with coefficients some steps apart.
    INLINE T window(Index node, Index width, const R* c, Index step, const Cell& cell) const {
        T lower = at_node(node, cell), total = lower;
#pragma unroll 1
        for (Index k = 0; k < width - 1; ++k) {
            T upper = at_node(node + k + 1, cell), part = c[k * step] * (upper - lower);
            total = k ? total + part : part;
            lower = upper;
        }
        return total;
    }

    // The sum over the window that the valid nodes before and after a cell's own allow.
    INLINE T masked_window(const Cell& cell) const {
        Index node = cell[AXIS] + own, before = 0, after = 0, row = cell[AXIS];
        T value;
        convert((R)nan(""), value);
        if (node < masked.low || node >= masked.high) return value;
        value = at_node(node, cell);
        if (missing(value)) return value;
#pragma unroll 1
        while (before < masked.reach && node - before > masked.low &&
               !missing(at_node(node - before - 1, cell)))
            ++before;
#pragma unroll 1
        while (after < masked.reach && node + after + 1 < masked.high &&
               !missing(at_node(node + after + 1, cell)))
            ++after;
        long long kind = masked.kinds[before * (masked.reach + 1) + after];
        if (kind < 0) {
            convert((R)nan(""), value);
            return value;
        }
        const R* c = masked.table + (Index)kind * masked.wide * masked.columns;
        if (masked.columns > 1) c += row;
        Index start = node + (Index)masked.starts[kind];
        return window(start, (Index)masked.widths[kind], c, masked.columns, cell);
    }

    INLINE T at_node(Index node, const Cell& cell) const {
        if (node < 0)
            return read<T>(before.p, before.at(cell, AXIS) + (node + reach) * before.steps[AXIS]);
        if (node < length) return read<T>(f.p, f.at(cell, AXIS) + node * f.steps[AXIS]);
        return read<T>(after.p, after.at(cell, AXIS) + (node - length) * after.steps[AXIS]);
    }

    // Where the stretching is 0, a neighbour may be missing.
    INLINE T without_stretching(T total, const Cell& cell) const {
        R k = stretching.p[stretching.at(cell)];
        if (k == 0) return total;
        Index node = cell[AXIS] + own;
        T here = at_node(node, cell);
        return total - k * ((at_node(node + 1, cell) - here) - (here - at_node(node - 1, cell)));
    }

    // The sum with the weight; `between` says whether the cell has neighbours on both sides.
    INLINE T weighted(T total, const Cell& cell, bool between) const {
        if (WEIGHT_MODE == 0) return total;
        R w = weight.p[weight.at(cell)];
        if (WEIGHT_MODE == 1) return w * total;
        if (WEIGHT_MODE == 3) return w * (between ? without_stretching(total, cell) : total);
        return total + w * read<T>(f.p, f.at(cell, AXIS) + (cell[AXIS] + own) * f.steps[AXIS]);
    }
};

// The first cell of a thread. Blocks follow each other along the last dimension but one, so that the
// rows a stencil needs are still in cache, then along the last one, then along the others.
struct Place {
    Cell cell, lengths;
    INLINE explicit Place(Reader& in) {
        for (int d = 0; d < DIMS; ++d) lengths[d] = in.next();
        Index chunks = in.next(), tiles = in.next(), block = blockIdx.x, next = block / chunks;
        cell[DIMS - 2] = (block - next * chunks) * CELLS * blockDim.y + threadIdx.y;
        block = next, next = block / tiles;
        cell[DIMS - 1] = (block - next * tiles) * blockDim.x + threadIdx.x;
        for (int d = DIMS - 3; d >= 0; --d) {
            block = next, next = block / lengths[d];
            cell[d] = block - next * lengths[d];
        }
    }
    INLINE bool here(Index further = 0) const {
        return cell[DIMS - 1] < lengths[DIMS - 1] && cell[DIMS - 2] + further < lengths[DIMS - 2];
    }
};

// The work of one thread. Where all its cells are interior ones it reads all windows before it
// writes any result, so that many loads are under way at a time.
template <class Terms> INLINE void run(const long long* numbers) {
    Reader in = {numbers};
    Place place(in);
    const Terms terms(in);
    const Index step = blockDim.y, further = (CELLS - 1) * step;
    if (place.here(further) && terms.inside(place.cell, further)) {
        typename Terms::Sums sums[CELLS];
#pragma unroll
        for (int r = 0; r < CELLS; ++r, place.cell[DIMS - 2] += step)
            sums[r] = terms.inner(place.cell);
#pragma unroll
        for (int r = CELLS - 1; r >= 0; --r) {
            place.cell[DIMS - 2] -= step;
            terms.put(place.cell, sums[r]);
        }
        return;
    }
#pragma unroll 1
    for (int r = 0; r < CELLS && place.here(); ++r, place.cell[DIMS - 2] += step)
        terms.put(place.cell, terms.any(place.cell));
}
