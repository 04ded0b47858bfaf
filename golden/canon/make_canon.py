#!/usr/bin/env python3
"""The canon by exact fractions: small cases of every rule of docs/numerics.md, and the bits they give.

    python make_canon.py [--out .]

Needs nothing but Python. Every f32 operation is computed without error, as a fraction, and rounded once, to the nearest,
ties to even; f64 operations are Python's own, which are IEEE 754 and never fused. Written from docs/numerics.md alone.

canon.json holds, per rule, a list of cases. An f32 stands as its 32 bits, an f64 as its 64 bits in hexadecimal, bytes in
hexadecimal.
"""
import argparse
import json
import math
import os
import random
import struct
from fractions import Fraction

RNG = random.Random(20261121)


# --- f32 by fractions ---------------------------------------------------------------------------------------------

def rounded(exact, if_zero=0.0):
    """The f32 nearest to a fraction, ties to even; `if_zero` carries the sign of an exact zero."""
    if exact == 0:
        return if_zero
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    unit = max(exponent - 23, -149)
    value = math.ldexp(round(size / Fraction(2) ** unit), unit)          # round() takes ties to even
    value = math.inf if value >= 2.0 ** 128 else value
    return -value if exact < 0 else value


def finite(*xs):
    return all(math.isfinite(x) for x in xs)


def fma(a, b, c):
    plain = a * b + c                                                    # exact in its sign where the sum is zero
    return rounded(Fraction(a) * Fraction(b) + Fraction(c), plain) if finite(a, b, c) else plain


def add(a, b):
    return rounded(Fraction(a) + Fraction(b), a + b) if finite(a, b) else a + b


def mul(a, b):
    return rounded(Fraction(a) * Fraction(b), a * b) if finite(a, b) else a * b


def div(a, b):
    if b == 0:
        return math.copysign(math.inf, b) if a else math.nan
    return rounded(Fraction(a) / Fraction(b), a / b) if finite(a, b) else a / b


def sqrt(a):
    """53 bits are enough to round a root of 24 bits a second time without harm."""
    return rounded(Fraction(math.sqrt(a)))


def f32(x):
    return rounded(Fraction(x), x)


def bits(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def of_bits(b):
    return struct.unpack("<f", struct.pack("<I", b))[0]


def bits64(x):
    return struct.pack(">d", x).hex()


def some(n, spread=3):
    """Random f32 of mixed sizes and signs."""
    return [f32(RNG.gauss(0, 1) * 2.0 ** RNG.uniform(-spread, spread)) for _ in range(n)]


# --- the rules, in the order of docs/numerics.md --------------------------------------------------------------------

def tree(lanes):
    width = 8
    while width:
        lanes = [add(lanes[i], lanes[i + width]) for i in range(width)]
        width //= 2
    return lanes[0]


def dot(a, b):
    lanes = [0.0] * 16
    for i, (x, y) in enumerate(zip(a, b)):
        lanes[i % 16] = fma(x, y, lanes[i % 16])
    return tree(lanes)


def round_group(xs, top=127.0):
    largest = max(abs(x) for x in xs)
    scale = div(largest, top)
    inverse = div(1.0, scale)
    if not math.isfinite(inverse):
        return [0] * len(xs), 0.0
    return [round(Fraction(mul(x, inverse))) for x in xs], scale


def planes_of(row, group, count):
    """Per plane: all q, and the scale of each group."""
    planes = []
    for _ in range(count):
        groups = [round_group(row[at:at + group]) for at in range(0, len(row), group)]
        q = [n for numbers, _ in groups for n in numbers]
        scales = [scale for _, scale in groups]
        planes.append((q, scales))
        row = [fma(-scales[i // group], float(q[i]), x) for i, x in enumerate(row)]
    return planes


def quantised(parts, planes, part_len, group):
    total = 0.0
    for at, (scale, minimum, level, below) in enumerate(parts):
        start = at * part_len
        for q, scales in planes:
            x = scales[start // group]
            products = sum(n * q[start + i] for i, n in enumerate(level))
            total = fma(mul(scale, x), f32(products), total)
            if minimum != 0:
                minima = sum(below[i // 16] * q[start + i] for i in range(part_len))
                total = fma(-mul(minimum, x), f32(minima), total)
    return total


def norm(x, weight, eps):
    mean = div(dot(x, x), float(len(x)))
    scale = div(1.0, sqrt(add(mean, eps)))
    return [mul(mul(v, scale), w) for v, w in zip(x, weight)]


def ln64(x):
    m, e = math.frexp(x)
    m, e = m * 2.0, e - 1
    if m > struct.unpack(">d", bytes.fromhex("3ff6a09e667f3bcd"))[0]:
        m, e = m / 2.0, e + 1
    s = (m - 1.0) / (m + 1.0)
    t, p = s * s, 0.0
    for k in range(11, -1, -1):
        p = p * t + 1.0 / (2 * k + 1)
    return e * 0.6931471805599453 + (2.0 * s) * p


def whole64(x):
    return (x + 6755399441055744.0) - 6755399441055744.0


def exp64(x):
    n = whole64(x * 1.4426950408889634)
    r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = 1.0
    for k in range(15, 0, -1):
        p = 1.0 + (p * r) / k
    return math.ldexp(p, int(n))


def cos_sin64(a):
    n = whole64(a * 0.6366197723675814)
    r = ((a - n * 1.5707963267341256) - n * 6.077100506303966e-11) - n * 2.0222662487959506e-21
    t, c, z = r * r, 1.0, 1.0
    for k in range(9, -1, -1):
        c = 1.0 - (c * t) / ((2 * k + 2) * (2 * k + 1))
        z = 1.0 - (z * t) / ((2 * k + 3) * (2 * k + 2))
    s = r * z
    return [(c, s), (-s, c), (-c, -s), (s, -c)][int(n) % 4]


def rotate(head, cos, sin, pairs):
    out = list(head)
    for i, (a, b) in enumerate(pairs):
        x, y = head[a], head[b]
        out[a] = fma(x, cos[i], -mul(y, sin[i]))
        out[b] = fma(x, sin[i], mul(y, cos[i]))
    return out


C = [of_bits(b) for b in (0x39506967, 0x3AB743CE, 0x3C088908, 0x3D2AA9C1, 0x3E2AAAAA, 0x3F000000)]
LOG2E, LN2_HIGH, LN2_LOW = (of_bits(b) for b in (0x3FB8AA3B, 0x3F318000, 0xB95E8083))


def exp(x):
    x = min(max(x, -104.0), 89.0)
    n = add(add(mul(x, LOG2E), 12582912.0), -12582912.0)
    r = fma(n, -LN2_LOW, fma(n, -LN2_HIGH, x))
    p = C[0]
    for c in C[1:]:
        p = fma(p, r, c)
    p = add(fma(p, mul(r, r), r), 1.0)
    half = int(n) >> 1
    return mul(mul(p, 2.0 ** half), 2.0 ** (int(n) - half))


def silu(x):
    return div(x, add(1.0, exp(-x)))


def score_of(q, key, scale):
    score = 0.0
    for a, b in zip(q, key):
        score = fma(a, b, score)
    return mul(score, scale)


def mix(weight, values, visible):
    out = [0.0] * len(values[0])
    for j in visible:
        out = [fma(weight[j], v, o) for v, o in zip(values[j], out)]
    return out


def whole_score(q, key, scale):
    top = 4095.0 if len(q) <= 128 else 2047.0
    (q, of_q), (key, of_key) = round_group(q, top), round_group(key, top)
    return mul(f32(sum(a * b for a, b in zip(q, key))), mul(mul(of_q, scale), of_key))


def whole_mix(weight, values, visible):
    levels = {j: round_group(values[j], 4095.0) for j in visible}
    weights, scale = round_group([mul(weight[j], levels[j][1]) for j in visible], 8191.0)
    sums = [sum(w * levels[j][0][c] for w, j in zip(weights, visible)) for c in range(len(values[0]))]
    return [mul(f32(x), scale) for x in sums]


def attend_tile(q, scale, keys, values, visible, rules):
    of_key, of_values = rules
    score = [of_key(q, keys[j], scale) if j in visible else 0.0 for j in range(64)]
    largest = max(score[j] for j in visible)
    weight = [exp(add(score[j], -largest)) if j in visible else 0.0 for j in range(64)]
    lanes = [0.0] * 16
    for j in range(64):
        lanes[j % 16] = add(lanes[j % 16], weight[j])
    return largest, tree(lanes), of_values(weight, values, visible)


def attend(q, keys, values, position, window, rules=(score_of, mix)):
    scale = div(1.0, sqrt(float(len(q))))
    first = max(0, position + 1 - window) if window else 0
    seen = None
    for tile in range(first // 64, position // 64 + 1):
        at = tile * 64
        visible = range(max(first - at, 0), min(position + 1 - at, 64))
        new = attend_tile(q, scale, keys[at:at + 64], values[at:at + 64], visible, rules)
        if seen is None:
            seen = new
            continue
        both = max(seen[0], new[0])
        keep, take = exp(add(seen[0], -both)), exp(add(new[0], -both))
        out = [fma(o, keep, mul(n, take)) for o, n in zip(seen[2], new[2])]
        seen = both, fma(seen[1], keep, mul(new[1], take)), out
    return [div(o, seen[1]) for o in seen[2]]


# --- weights: a few formats stand for all, whose blocks have cases of their own ---------------------------------------

def half(x):
    return struct.pack("<e", x)


def nibbles(q):
    return [b & 15 for b in q] + [b >> 4 for b in q]


def scale16(lo=-9, hi=1):
    x = RNG.choice([-1, 1]) * RNG.uniform(1, 2) * 2.0 ** RNG.uniform(lo, hi)
    return struct.unpack("<e", half(x))[0]


def q8_0():
    d, q = scale16(), RNG.randbytes(32)
    return half(d) + q, [(d, 0.0, list(struct.unpack("32b", q)), [])]


def q4_1():
    d, m, q = scale16(), scale16(), RNG.randbytes(16)
    return half(d) + half(m) + q, [(d, -m, nibbles(q), [1, 1])]


def nvfp4():
    e2m1 = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]
    d, q = bytes(RNG.randrange(8, 0x7F) for _ in range(4)), RNG.randbytes(32)
    parts = []
    for p in range(4):
        scale = 2.0 ** ((d[p] >> 3) - 8) * (1 + (d[p] & 7) / 8)
        parts.append((scale, 0.0, [e2m1[n] for n in nibbles(q[8 * p:8 * p + 8])], []))
    return d + q, parts


def q4_k():
    d, m, s, q = scale16(), scale16(), RNG.randbytes(12), RNG.randbytes(128)
    sub = [s[n] & 63 if n < 4 else (s[4 + n] & 15) + 16 * (s[n - 4] >> 6) for n in range(8)]
    below = [s[n + 4] & 63 if n < 4 else (s[4 + n] >> 4) + 16 * (s[n] >> 6) for n in range(8)]
    level = []
    for i in range(256):
        run = nibbles(q[32 * (i // 64):32 * (i // 64) + 32])
        level.append(sub[i // 32] * run[i % 64])
    return half(d) + half(m) + s + q, [(d, m, level, [below[r // 2] for r in range(16)])]


def q6_k():
    q, h, s, d = RNG.randbytes(128), RNG.randbytes(64), RNG.randbytes(16), scale16(-14, -6)
    level = []
    for i in range(256):
        low = nibbles(q[64 * (i // 128):64 * (i // 128) + 64])[i % 128]
        high = h[32 * (i // 128) + i % 32] >> 2 * (i % 128 // 32) & 3
        level.append(struct.unpack("b", s[i // 16:i // 16 + 1])[0] * (low + 16 * high - 32))
    return q + h + s + half(d), [(d, 0.0, level, [])]


QUANTISED = {"Q8_0": (q8_0, 32, 32, 32), "Q4_1": (q4_1, 32, 32, 32), "NVFP4": (nvfp4, 64, 16, 32),
             "Q4_K": (q4_k, 256, 256, 256), "Q6_K": (q6_k, 256, 256, 256)}


# --- cases --------------------------------------------------------------------------------------------------------

def words(xs):
    return [bits(x) for x in xs]


def exp_cases():
    edges = [0.0, -0.0, 1.0, -1.0, 89.0, 90.0, 88.72, 88.73, -87.3, -87.4, -103.9, -104.0, -105.0, 1e-30, -1e-30]
    ties = [(n + 0.5) * math.log(2) for n in range(-150, 128, 7)]
    spread = [RNG.uniform(-104, 89) for _ in range(600)] + [RNG.uniform(-1, 1) for _ in range(600)]
    xs = [f32(x) for x in edges + ties + spread]
    # A last bit that differs for one number in a thousand shows in a digest of many: FNV-1a of their bits.
    first, step, count, digest = bits(f32(0.001)), 6007, 20000, 0xCBF29CE484222325
    for i in range(count):
        size = of_bits(first + i * step)                                 # from 0.001 to 21
        digest = (digest ^ bits(exp(-size if i % 2 else size))) * 0x100000001B3 % 2 ** 64
    many = {"first": first, "step": step, "count": count, "digest": f"{digest:016x}"}
    return {"x": words(xs), "exp": words([exp(x) for x in xs]), "many": many}


def silu_cases():
    xs = [0.0, -0.0, 200.0, -200.0] + some(120)
    up = some(len(xs))
    return {"gate": words(xs), "up": words(up), "out": words([mul(silu(x), u) for x, u in zip(xs, up)])}


def near_ties():
    """A group with a number so near a tie that x / scale would be rounded differently from x · (1 / scale)."""
    while True:
        largest = f32(RNG.uniform(1, 2))
        scale = div(largest, 127.0)
        k = RNG.randrange(126) + 0.5
        tie = of_bits(bits(mul(k, scale)) + RNG.randrange(-1, 2))
        row = [largest, tie] + [mul(x, 0.0625) for x in some(30, 0)]
        q, of_group = round_group(row)
        if of_group == scale and q[1] != round(Fraction(div(tie, scale))):
            return row


def round_cases():
    halves = [127.0] + [k / 2 for k in range(-15, 16)]
    odd = [f32(largest) for largest in (3.7e-37, 3.8e-37, 1e-38, 1e-45)]     # about where 1 / scale overflows
    rows = [(32, halves), (32, [-h for h in halves]), (32, [0.0] * 32), (32, [-0.0] * 32), (32, near_ties())]
    rows += [(32, [x] + [f32(x / 3)] * 31) for x in odd] + [(32, some(96)), (256, some(512)), (256, halves * 8)]
    cases = []
    for group, row in rows:
        planes = planes_of(row, group, 2)
        sums = [[sum(q[at:at + 16]) for at in range(0, len(q), 16)] for q, _ in planes]
        cases.append({"group": group, "x": words(row), "q": [q for q, _ in planes],
                      "scales": [words(s) for _, s in planes], "sums": sums})
    return cases


def product_cases():
    cases = []
    for name, (block, block_len, part_len, group) in QUANTISED.items():
        cols, rows, n = 2 * block_len if block_len > 32 else 96, 2, 3
        weights = [[block() for _ in range(cols // block_len)] for _ in range(rows)]
        parts = [[part for _, of_block in row for part in of_block] for row in weights]
        x, bias = [some(cols) for _ in range(n)], some(rows)
        out = {}
        for count, label in ((1, "once"), (2, "twice")):
            planes = [planes_of(row, group, count) for row in x]
            out[label] = words(quantised(p, q, part_len, group) for q in planes for p in parts)
        biased = [add(of_bits(b), bias[i % rows]) for i, b in enumerate(out["twice"])]
        raw = b"".join(raw for row in weights for raw, _ in row)
        cases.append({"format": name, "rows": rows, "cols": cols, "weights": raw.hex(), "x": words(sum(x, [])),
                      "bias": words(bias), **out, "biased": words(biased)})
    for cols in (1, 15, 16, 17, 70, 300):
        weights, x = [some(cols) for _ in range(2)], [some(cols) for _ in range(3)]
        raw = b"".join(struct.pack(f"<{cols}f", *row) for row in weights)
        out = words(dot(w, row) for row in x for w in weights)
        bias = some(2)
        biased = words(add(of_bits(b), bias[i % 2]) for i, b in enumerate(out))
        cases.append({"format": "F32", "rows": 2, "cols": cols, "weights": raw.hex(), "x": words(sum(x, [])),
                      "bias": words(bias), "once": out, "twice": out, "biased": biased})
    return cases


def norm_cases():
    cases = []
    for n in (1, 15, 16, 17, 33, 70):
        x, weight, eps = some(n), some(n), f32(RNG.choice([1e-5, 1e-6]))
        cases.append({"x": words(x), "weight": words(weight), "eps": bits(eps), "out": words(norm(x, weight, eps))})
    return cases


def rope_cases():
    cases = []
    for pairs in (1, 3, 4):
        head, cos, sin = some(10), some(pairs, 0), some(pairs, 0)
        halves = rotate(head, cos, sin, [(i, i + pairs) for i in range(pairs)])
        neighbours = rotate(head, cos, sin, [(2 * i, 2 * i + 1) for i in range(pairs)])
        cases.append({"head": words(head), "cos": words(cos), "sin": words(sin), "halves": words(halves),
                      "neighbours": words(neighbours)})
    return cases


def angle_cases():
    xs = [1.0, 2.0, 0.5, 10000.0, 1e6, 1e-5] + [RNG.uniform(0.1, 1e5) for _ in range(40)]
    es = [0.0, 1.0, -1.0] + [RNG.uniform(-30, 30) for _ in range(40)]
    angles = [0.0, 1.0, 131071.0, 1e6] + [RNG.uniform(0, 10 ** RNG.randrange(1, 6)) for _ in range(200)]
    frequencies = [f32(exp64(-i / 4 * ln64(10000.0))) for i in range(4)]
    tables = []
    for position in (0, 1, 63, 4095, 100000):
        for magnitude in (1.0, f32(1.2772588)):
            turns = [cos_sin64(position * f) for f in frequencies]
            tables.append({"position": position, "frequencies": words(frequencies), "magnitude": bits(magnitude),
                           "cos": words(f32(c * magnitude) for c, _ in turns),
                           "sin": words(f32(s * magnitude) for _, s in turns)})
    pairs = [cos_sin64(a) for a in angles]
    return {"ln": [[bits64(x), bits64(ln64(x))] for x in xs], "exp": [[bits64(x), bits64(exp64(x))] for x in es],
            "cos_sin": [[bits64(a), bits64(c), bits64(s)] for a, (c, s) in zip(angles, pairs)], "tables": tables}


def attention_cases(dim, value_dim, rules):
    n = 200
    queries = [[mul(x, 2.0) for x in some(dim, 1)] for _ in range(6)]
    keys, values = [some(dim, 1) for _ in range(n)], [some(value_dim) for _ in range(n)]
    rows = []
    for position in (0, 1, 15, 16, 63, 64, 65, 127, 128, 130, 192, 199):
        for window in (None, 1, 2, 64, 65, 66, 129):
            out = [attend(q, keys, values, position, window, rules) for q in queries]
            rows.append({"position": position, "window": window, "out": words(sum(out, []))})
    return {"dim": dim, "value_dim": value_dim, "queries": words(sum(queries, [])), "keys": words(sum(keys, [])),
            "values": words(sum(values, [])), "rows": rows}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    a = ap.parse_args()
    dots = [(some(n), some(n)) for n in (0, 1, 2, 8, 15, 16, 17, 31, 32, 33, 47, 70)]
    cases = {
        "dot": [{"a": words(x), "b": words(y), "sum": bits(dot(x, y))} for x, y in dots],
        "round": round_cases(), "product": product_cases(), "norm": norm_cases(), "angles": angle_cases(),
        "rope": rope_cases(), "exp": exp_cases(), "silu": silu_cases(), "attention": attention_cases(6, 3, (score_of, mix)),
        "whole_attention": attention_cases(7, 5, (whole_score, whole_mix)),
    }
    with open(os.path.join(a.out, "canon.json"), "w") as f:
        lines = (f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in cases.items())
        f.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
