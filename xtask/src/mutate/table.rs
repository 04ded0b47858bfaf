//! What is spoilt. Each entry belongs to a promise: the test that keeps it must notice.

use super::Mutation;
use super::change::Change;

const CANON: &[&str] = &["--package", "kernels", "--test", "canon"];
const PARITY: &[&str] = &["--package", "kernels", "--test", "parity"];
const BITS: &[&str] = &["--package", "engine", "--test", "bits", "chunks_change_no_bit"];
const SAMPLING: &[&str] = &["--package", "engine", "--lib"];

const LANES: &str = "crates/kernels/src/portable/lanes.rs";
const ROUND: &str = "crates/kernels/src/portable/round.rs";
const PRODUCT: &str = "crates/kernels/src/portable/product.rs";
const ATTEND: &str = "crates/kernels/src/portable/attend.rs";
const WHOLE: &str = "crates/kernels/src/portable/whole.rs";
const MATH: &str = "crates/kernels/src/portable/math.rs";
const NORM: &str = "crates/kernels/src/portable/norm.rs";
const ROPE: &str = "crates/kernels/src/portable/rope.rs";
const ANGLES: &str = "crates/kernels/src/portable/angles.rs";
const UNPACKED: &str = "crates/kernels/src/machine/unpacked.rs";
const ROUNDED: &str = "crates/kernels/src/machine/rounded.rs";
const PACKED: &str = "crates/kernels/src/machine/packed.rs";
const PANELS: &str = "crates/kernels/src/panels/expand.rs";
const TILE: &str = "crates/kernels/src/panels/tile.rs";
const PRODUCT_OF_MACHINE: &str = "crates/kernels/src/machine/product.rs";
const ATTENTION_OF_MACHINE: &str = "crates/kernels/src/machine/attention/mod.rs";
const ROUTED: &str = "crates/kernels/src/machine/routed.rs";
const NORMS: &str = "crates/arch/src/parts/norms.rs";
const ROUTER: &str = "crates/arch/src/parts/router.rs";
const MODELS: &[&str] = &["--package", "engine", "--test", "models"];
const ANSWER: &[&str] = &["--package", "engine", "--test", "answer"];
const DELTA: &str = "crates/kernels/src/portable/delta.rs";
const INDEX: &str = "crates/kernels/src/portable/index.rs";
const RECURRENT: &str = "crates/kernels/src/machine/recurrent.rs";
const PAGES: &str = "crates/engine/src/pages.rs";
const SERVE: &[&str] = &["--package", "engine", "--lib", "serve"];
const SERVE_FILE: &str = "crates/engine/src/serve.rs";
const PREFIX: &str = "crates/engine/src/prefix.rs";
const FORMS: &[&str] = &["--package", "engine", "--test", "forms"];
const CONSTRAIN: &str = "crates/engine/src/constrain.rs";
const STORED: &str = "crates/arch/src/stored.rs";
const ORDER: &str = "crates/engine/src/order.rs";
const SAMPLE: &str = "crates/engine/src/sample.rs";
const GRADIENTS: &[&str] = &["--package", "kindling-gradients"];

/// One expected value of each family of golden files. Paths are from `golden/`.
pub const GOLDENS: &[Mutation] = &[
    Mutation {
        name: "golden-blocks",
        file: "blocks/blocks.safetensors",
        change: Change::Element { tensor: "Q4_0.values", index: 77 },
        tests: &["--package", "kernels", "--test", "blocks"],
    },
    Mutation {
        name: "golden-canon",
        file: "canon/canon.json",
        change: Change::Number { after: "\"out\":[" },
        tests: CANON,
    },
    Mutation {
        name: "golden-models-logits",
        file: "models/llama/expected.safetensors",
        change: Change::Element { tensor: "logits", index: 1000 },
        tests: &["--package", "engine", "--test", "models"],
    },
    Mutation {
        name: "golden-models-greedy",
        file: "models/qwen3/expected.safetensors",
        change: Change::Element { tensor: "greedy", index: 23 },
        tests: &["--package", "engine", "--test", "models"],
    },
    Mutation {
        name: "golden-gguf",
        file: "gguf/mistral.expected.safetensors",
        change: Change::Element { tensor: "logits", index: 1000 },
        tests: &["--package", "engine", "--test", "models"],
    },
    Mutation {
        name: "golden-quant",
        file: "quant/dense.F16.expected.safetensors",
        change: Change::Element { tensor: "reference_logits", index: 1000 },
        tests: &["--package", "engine", "--test", "quantised"],
    },
    Mutation {
        name: "golden-tokenizers-cases",
        file: "tokenizers/cases/gpt-2.json",
        change: Change::Number { after: "\"plain\": [" },
        tests: &["--package", "text"],
    },
    Mutation {
        name: "golden-tokenizers-out",
        file: "tokenizers/ggml-vocab-llama-spm.gguf.out",
        change: Change::Number { after: "" },
        tests: &["--package", "text"],
    },
    Mutation {
        name: "golden-templates",
        file: "templates/cases.json",
        change: Change::Number { after: "\"expected\": \"" },
        tests: &["--package", "text"],
    },
];

/// Lines of arithmetic and of formats. Paths are from the root.
pub const SOURCES: &[Mutation] = &[
    Mutation {
        name: "gguf-alignment",
        file: "crates/formats/src/gguf/part.rs",
        change: Change::Text {
            from: "(cursor.at() as u64).next_multiple_of(alignment)",
            to: "(cursor.at() as u64).next_multiple_of(alignment) + alignment",
        },
        tests: &["--package", "formats"],
    },
    line(
        CANON,
        "lanes-neighbours",
        LANES,
        ("sums[i] += sums[i + width]", "sums[i] = sums[2 * i] + sums[2 * i + 1]"),
    ),
    line(
        CANON,
        "lanes-mirrored",
        LANES,
        ("sums[i] += sums[i + width]", "sums[i] += sums[2 * width - 1 - i]"),
    ),
    line(
        CANON,
        "lanes-two-roundings",
        LANES,
        ("a[lane].mul_add(b[lane], sums.0[lane])", "a[lane] * b[lane] + sums.0[lane]"),
    ),
    line(CANON, "round-ties-away", ROUND, ("nearest(x * inverse)", "(x * inverse).round() as i8")),
    line(CANON, "round-to-128", ROUND, ("scale(largest(x), 127.0)", "scale(largest(x), 128.0)")),
    line(CANON, "round-by-quotient", ROUND, ("nearest(x * inverse)", "nearest(x / scale)")),
    line(CANON, "round-zero-rule", ROUND, ("if !inverse.is_finite()", "if largest == 0")),
    line(
        CANON,
        "round-rest",
        ROUND,
        ("(-scale).mul_add(f32::from(*q), *x)", "*x - scale * f32::from(*q)"),
    ),
    line(
        CANON,
        "product-parts-descend",
        PRODUCT,
        (
            "chunks_exact(format.block_bytes()).enumerate()",
            "chunks_exact(format.block_bytes()).enumerate().rev()",
        ),
    ),
    line(
        CANON,
        "product-planes-descend",
        PRODUCT,
        ("for plane in 0..x.planes_used", "for plane in (0..x.planes_used).rev()"),
    ),
    line(
        CANON,
        "product-scale",
        PRODUCT,
        (
            "(part.scale * x.scale).mul_add(products as f32, sum)",
            "part.scale.mul_add(x.scale * products as f32, sum)",
        ),
    ),
    line(
        CANON,
        "product-minimum-scale",
        PRODUCT,
        (
            "(-(part.min * x.scale)).mul_add(minima as f32, sum)",
            "(-part.min).mul_add(x.scale * minima as f32, sum)",
        ),
    ),
    line(
        CANON,
        "product-bias",
        UNPACKED,
        ("sum + bias[row]", "(sum - bias[row]) + 2.0 * bias[row]"),
    ),
    line(
        PARITY,
        "packed-bias",
        PRODUCT_OF_MACHINE,
        ("*out = sum + bias", "*out = (sum - bias) + 2.0 * bias"),
    ),
    line(PARITY, "packed-offset", TILE, ("i32::from(-K::OFFSET)", "i32::from(1 - K::OFFSET)")),
    line(PARITY, "packed-planes", TILE, ("outputs[w][r / P]", "outputs[w][(r / P).min(1)]")),
    line(
        BITS,
        "packed-batch-order",
        TILE,
        (
            "s.fma(s.mul(scale, x_scale), s.to_f32(products[w][r]), *output)",
            "if R == 1 { s.fma(s.mul(scale, x_scale), s.to_f32(products[w][r]), *output) } else \
             { s.fma(scale, s.mul(x_scale, s.to_f32(products[w][r])), *output) }",
        ),
    ),
    line(PARITY, "packed-sub-scale", PANELS, ("(*sub, s.splat(-32))", "(*sub, s.splat(-31))")),
    line(
        PARITY,
        "packed-first-row",
        PACKED,
        ("let first = group.first / planes;", "let first = (group.first / planes).min(4);"),
    ),
    line(PARITY, "routed-row-of-slot", ROUTED, ("(i / each) as u32", "(i / each).min(3) as u32")),
    line(
        PARITY,
        "routed-order-of-slots",
        ROUTED,
        ("self.slots.chunks_exact_mut(each).for_each(<[u32]>::sort_unstable);", ""),
    ),
    line(
        PARITY,
        "routed-first-output",
        ROUTED,
        ("routing.of(expert).start);", "routing.of(expert).start.min(2));"),
    ),
    line(MODELS, "experts-weights", ROUTER, ("*weight /= total", "*weight /= 1.01 * total")),
    line(MODELS, "experts-choice", ROUTER, ("*score > best.1", "*score >= best.1 - 0.3")),
    line(PARITY, "attend-sink", ATTEND, ("self.sum + exp(sink", "self.sum - exp(sink")),
    line(
        PARITY,
        "soft-cap",
        "crates/kernels/src/portable/row.rs",
        ("-2.0 * y.abs()", "-2.1 * y.abs()"),
    ),
    line(
        PARITY,
        "attend-chunk",
        ATTENTION_OF_MACHINE,
        ("position / chunk * chunk", "position / chunk"),
    ),
    line(MODELS, "inputs-by-weight", ROUTED, ("*out = x * routing", "*out = x + 0.0 * routing")),
    line(
        MODELS,
        "growth-of-queries",
        "crates/arch/src/parts/attention.rs",
        ("* self.factor + 1.0", "* self.factor + 1.01"),
    ),
    line(MODELS, "norm-offset", NORMS, ("*weight += self.offset", "*weight += 0.9 * self.offset")),
    line(MODELS, "rope-of-windows", "crates/arch/src/gemma3.rs", ("usize::from(windowed)", "0")),
    line(PARITY, "gate-gelu", MATH, ("mul_add(0.044_715, x)", "mul_add(0.044_815, x)")),
    line(PARITY, "gate-limit", MATH, ("gate.min(limit)", "gate.clamp(-limit, limit)")),
    line(
        PARITY,
        "product-shared-planes",
        ROUNDED,
        ("planes: self.planes,", "planes: rounding.planes(),"),
    ),
    line(
        PARITY,
        "product-batch",
        UNPACKED,
        ("rounded.from_row(first)", "rounded.from_row(first.min(32))"),
    ),
    line(CANON, "norm-order", NORM, ("*out = (x * scale) * w", "*out = x * (scale * w)")),
    line(CANON, "norm-order-in-place", NORM, ("*x = (*x * scale) * w;", "*x *= scale * w;")),
    line(CANON, "norm-eps", NORM, ("(mean + eps).sqrt()", "(mean.sqrt() + eps)")),
    line(
        CANON,
        "rope-first-of-pair",
        ROPE,
        ("x.mul_add(cos[i], -(y * sin[i]))", "(-y).mul_add(sin[i], x * cos[i])"),
    ),
    line(
        CANON,
        "rope-second-of-pair",
        ROPE,
        ("x.mul_add(sin[i], y * cos[i])", "y.mul_add(cos[i], x * sin[i])"),
    ),
    line(
        CANON,
        "angles-series",
        ANGLES,
        ("sum * square / divisor(2 * k + 3)", "sum * (square / divisor(2 * k + 3))"),
    ),
    line(
        CANON,
        "angles-magnitude",
        ANGLES,
        ("(c * f64::from(magnitude)) as f32", "c as f32 * magnitude"),
    ),
    line(CANON, "exp-coefficient", MATH, ("8.333_452e-3", "8.333_333e-3")),
    line(CANON, "exp-last-step", MATH, ("p.mul_add(r * r, r) + 1.0", "p.mul_add(r * r, r + 1.0)")),
    line(
        CANON,
        "exp-remainder",
        MATH,
        ("n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x))", "n.mul_add(-std::f32::consts::LN_2, x)"),
    ),
    line(CANON, "silu-by-sigmoid", MATH, ("x / (1.0 + exp(-x))", "x * sigmoid(x)")),
    line(CANON, "attend-tile-size", ATTEND, ("TILE: usize = 64", "TILE: usize = 32")),
    line(
        CANON,
        "attend-scale",
        ATTEND,
        ("*score *= scale", "*score = (*score * 3.0) * (scale / 3.0)"),
    ),
    line(
        CANON,
        "attend-sum-of-weights",
        ATTEND,
        ("sum: sum_of(weights)", "sum: weights.iter().sum()"),
    ),
    line(
        CANON,
        "attend-merged-sum",
        ATTEND,
        ("seen.sum.mul_add(keep, new.sum * take)", "seen.sum * keep + new.sum * take"),
    ),
    line(
        CANON,
        "attend-merged-values",
        ATTEND,
        ("out.mul_add(keep, new * take)", "new.mul_add(take, *out * keep)"),
    ),
    line(
        CANON,
        "attend-tiles-descend",
        ATTENTION_OF_MACHINE,
        ("self.tiles(row).map(ready)", "self.tiles(row).rev().map(ready)"),
    ),
    line(
        CANON,
        "whole-factor",
        WHOLE,
        ("(query.factor * tile.key_scales[j])", "query.factor * tile.key_scales[j]"),
    ),
    line(CANON, "whole-weights", WHOLE, ("WEIGHT_TOP: f32 = 8191.0", "WEIGHT_TOP: f32 = 8190.0")),
    line(
        PARITY,
        "whole-pairs-of-values",
        "crates/kernels/src/machine/attention/store.rs",
        ("pair[at % 2] = *level", "pair[0] = *level"),
    ),
    line(
        PARITY,
        "whole-bytes-that-count-alike",
        "crates/kernels/src/amx/whole.rs",
        ("unit.dot_signed::<1, A, D>()", "unit.dot_signed::<2, A, D>()"),
    ),
    line(
        GRADIENTS,
        "gradients-of-weights",
        "kindling/gradients/src/attention.rs",
        ("half(weight * (change - mean) * scale)", "half(weight * change * scale)"),
    ),
    line(
        GRADIENTS,
        "gradients-of-turns",
        "kindling/gradients/src/math.rs",
        ("*y = b * c - a * s;", "*y = b * c + a * s;"),
    ),
    line(
        GRADIENTS,
        "gradients-of-norms",
        "kindling/gradients/src/math.rs",
        ("*t += unit.over * (g - float(u) * mean);", "*t += unit.over * g;"),
    ),
    line(
        GRADIENTS,
        "gradients-of-gates",
        "kindling/gradients/src/worker.rs",
        ("open * (1.0 + g * (1.0 - open))", "open * (1.0 - open)"),
    ),
    line(
        PARITY,
        "attend-tiles-of-a-bundle-descend",
        "crates/kernels/src/machine/attention/bundle.rs",
        ("for tile in tiles.clone()", "for tile in tiles.clone().rev()"),
    ),
    line(
        PARITY,
        "attend-shares-descend",
        "crates/kernels/src/machine/attention/by_tile.rs",
        ("own.iter().enumerate().map(", "own.iter().enumerate().rev().map("),
    ),
    line(
        PARITY,
        "attend-hidden-positions",
        "crates/kernels/src/machine/attention/bundle.rs",
        ("        own.hide_the_invisible();\n", ""),
    ),
    line(
        PARITY,
        "attend-begins-with-plus-zero",
        "crates/kernels/src/attention/state.rs",
        ("out.fill(-0.0)", "out.fill(0.0)"),
    ),
    line(
        PARITY,
        "attend-values-that-one-row-sees",
        "crates/kernels/src/attention/mix.rs",
        ("|visible| visible.end).min()", "|visible| visible.end).max()"),
    ),
    line(
        PARITY,
        "attend-order-of-lanes",
        "crates/kernels/src/attention/weigh.rs",
        ("vectors.into_iter().enumerate()", "vectors.into_iter().enumerate().rev()"),
    ),
    line(
        PARITY,
        "store-pages-that-follow",
        "crates/kernels/src/machine/attention/store.rs",
        ("page_of(row + i) == page && ", ""),
    ),
    line(
        CANON,
        "attend-window",
        ATTENTION_OF_MACHINE,
        ("(position + 1).saturating_sub(window)", "position.saturating_sub(window)"),
    ),
    line(PARITY, "round-nan", ROUND, ("if scale.is_nan() { scale } else { 0.0 }", "0.0")),
    line(
        PARITY,
        "attend-offset",
        ATTENTION_OF_MACHINE,
        ("&page[self.offset + key_head * len..]", "&page[key_head * len..]"),
    ),
    line(
        PARITY,
        "threads-leave-a-rest",
        "crates/kernels/src/machine/mod.rs",
        (
            "work(t * n / threads..(t + 1) * n / threads)",
            "work(n / threads * t..n / threads * (t + 1))",
        ),
    ),
    line(
        PARITY,
        "rotate-all-rows-alike",
        "crates/kernels/src/machine/mod.rs",
        ("&by.cos[i * by.len..][..by.len]", "&by.cos[..by.len]"),
    ),
    line(
        CANON,
        "product-minima-first",
        PRODUCT,
        (
            "let sum = (part.scale * x.scale).mul_add(products as f32, sum);
    if part.min == 0.0 {
        return sum;
    }
    let minima = integer_minima(&part.below[..x.sums.len()], x.sums);
    (-(part.min * x.scale)).mul_add(minima as f32, sum)",
            "let minima = integer_minima(&part.below[..x.sums.len()], x.sums);
    let sum = (-(part.min * x.scale)).mul_add(minima as f32, sum);
    (part.scale * x.scale).mul_add(products as f32, sum)",
        ),
    ),
    line(
        &["--package", "kernels", "--test", "blocks"],
        "decode-sign-of-zeros",
        "crates/kernels/src/blocks/runs.rs",
        (
            "self.scale * f32::from(sub) * f32::from(*level)",
            "self.scale * f32::from(i16::from(sub) * i16::from(*level))",
        ),
    ),
    // What layers keep, and for how long.
    line(
        PARITY,
        "delta-learns-the-difference",
        DELTA,
        ("(value - decay * *learnt) * beta", "(value - *learnt) * beta"),
    ),
    line(PARITY, "delta-fades", DELTA, ("*state * decay);", "*state);")),
    line(
        PARITY,
        "delta-sharing",
        RECURRENT,
        (
            "Sharing::Strided => value_head % self.keys,",
            "Sharing::Strided => value_head / self.keys,",
        ),
    ),
    line(
        PARITY,
        "convolution-before-the-first-row",
        RECURRENT,
        ("Some(i) if i >= run.rows.start =>", "Some(i) if i + 1 >= run.rows.start =>"),
    ),
    line(
        ANSWER,
        "state-of-a-mark",
        PAGES,
        ("Some(_) => self.marks.len() + 1,", "Some(_) => self.marks.len(),"),
    ),
    line(
        SAMPLING,
        "window-given-back-too-early",
        PAGES,
        ("(len + 1).saturating_sub(last) / PAGE", "(len + PAGE).saturating_sub(last) / PAGE"),
    ),
    line(SAMPLING, "old-state-lost", PAGES, ("(mark != Some(old)).then_some(end)", "Some(end)")),
    line(PARITY, "index-ties", INDEX, (".then(a.cmp(b))", ".then(b.cmp(a))")),
    line(
        PARITY,
        "value-within-key",
        ATTENTION_OF_MACHINE,
        ("&kept[dim - value_dim..]", "&kept[..value_dim]"),
    ),
    line(MODELS, "score-growth", "crates/arch/src/rope.rs", ("growth * growth", "growth")),
    line(
        &["--package", "arch", "--lib", "router"],
        "bias-in-the-weight",
        ROUTER,
        (
            "choices.push((expert as u32, scores[expert]));",
            "choices.push((expert as u32, biased[expert]));",
        ),
    ),
    line(
        &["--package", "arch", "--lib", "router"],
        "closed-groups",
        ROUTER,
        ("first + second", "first"),
    ),
    line(MODELS, "awq-order", STORED, ("[0, 2, 4, 6, 1, 3, 5, 7]", "[0, 1, 2, 3, 4, 5, 6, 7]")),
    line(MODELS, "gptq-zeros", STORED, ("i % 8) + less", "i % 8)")),
    line(MODELS, "fp8-factors", STORED, ("row / block.0 * across", "row / block.0")),
    line(
        MODELS,
        "inputs-of-layers",
        "crates/arch/src/parts/inputs.rs",
        ("row[self.layer * width..]", "row[0 * width..]"),
    ),
    line(
        MODELS,
        "keys-of-readers",
        "crates/arch/src/gemma4.rs",
        ("own.iter().rposition(", "own.iter().position("),
    ),
    // Many turns: what they share, and what is taken back.
    line(
        SERVE,
        "part-of-a-page-shared",
        PAGES,
        ("pool.copy(pages[cache])", "pool.share(pages[cache])"),
    ),
    line(
        SERVE,
        "state-in-the-middle",
        PREFIX,
        ("Keeps::State => own && len == block.tokens.len(),", "Keeps::State => own,"),
    ),
    line(
        SERVE,
        "window-not-there",
        PREFIX,
        (
            "Keeps::Last(last) => chain[seen(chain.len() * PAGE, last)].iter().all(there),",
            "Keeps::Last(_) => true,",
        ),
    ),
    line(
        SERVE,
        "let-in-without-room",
        SERVE_FILE,
        ("if texts_first || room > self.free_room() {", "if false {"),
    ),
    line(
        SERVE,
        "wrong-guesses-stay",
        "crates/engine/src/run.rs",
        ("if len == sequence.tokens().len() {", "if true {"),
    ),
    line(
        SERVE,
        "right-tokens-not-fed-again",
        SERVE_FILE,
        ("active.next.splice(..0, again);", "drop(again);"),
    ),
    line(SERVE, "state-not-held", SERVE_FILE, ("self.engine.hold_end(&mut active.sequence);", "")),
    line(
        SERVE,
        "memory-of-free-pages-stays",
        "crates/engine/src/run.rs",
        ("self.pages.shrink(self.room - missing);", ""),
    ),
    line(SERVE, "first-token-late", SERVE_FILE, ("times.first.get_or_insert(now)", "times.first")),
    line(FORMS, "form-not-applied", CONSTRAIN, ("0 => logits.fill(f32::NEG_INFINITY),", "0 => {}")),
    line(
        FORMS,
        "end-within-a-form",
        CONSTRAIN,
        ("if self.matcher.is_accepting().unwrap_or(false) {", "if true {"),
    ),
    line(
        FORMS,
        "mask-of-a-guess",
        CONSTRAIN,
        ("self.allowed.clear();\n        let mut", "let mut"),
    ),
    line(FORMS, "mark-not-forced", CONSTRAIN, ("allowed.allow_token(mark);", "")),
    line(
        &["--package", "engine", "--lib", "constrain"],
        "end-within-reasoning",
        "crates/text/src/reply/form.rs",
        ("=> \"thought\".to_owned(),", "=> \"thought?\".to_owned(),"),
    ),
    line(
        &["--package", "text", "--lib", "reply"],
        "schema-not-asked",
        "crates/text/src/reply/kinds.rs",
        ("if !admits(own, root, kind_of(&value), 0)", "if false"),
    ),
    line(
        &["--package", "text", "--lib", "reply"],
        "space-in-arguments",
        "crates/text/src/reply/calls.rs",
        ("if !scan.begun {", "if true {"),
    ),
    // The order of a sum that changes with the batch: alone, each would agree with itself.
    line(
        BITS,
        "batch-order-quantised",
        PRODUCT,
        (
            "in w.row(row).chunks_exact(format.block_bytes()).enumerate()",
            "in {
        let blocks = w.row(row).chunks_exact(format.block_bytes()).enumerate();
        let mut blocks: Vec<_> = blocks.collect();
        if out.len() > 1 {
            blocks.reverse();
        }
        blocks
    }",
        ),
    ),
    line(
        BITS,
        "batch-order-float",
        PRODUCT,
        (
            "for (out, sums) in out.iter_mut().zip(sums) {
        *out = sums.total();",
            "let alone = out.len() == 1;
    for (out, sums) in out.iter_mut().zip(sums) {
        *out = if alone { sums.0.iter().sum() } else { sums.total() };",
        ),
    ),
    line(
        &["--package", "engine", "--test", "bits", "feed_without_tokens"],
        "empty-feed",
        "crates/engine/src/run.rs",
        ("if tokens.is_empty() {", "if false {"),
    ),
    line(SAMPLING, "greedy-ties", SAMPLE, ("logits.iter().position(", "logits.iter().rposition(")),
    line(SAMPLING, "order-of-equals", ORDER, ("a.token.cmp(&b.token)", "b.token.cmp(&a.token)")),
    line(
        SAMPLING,
        "window-of-another-place",
        ORDER,
        (
            "if !reached(self.window.with) || reached(self.window.before) {",
            "if self.window.with.count == 0 {",
        ),
    ),
    line(
        SAMPLING,
        "draw-words",
        "crates/engine/src/draw.rs",
        (
            "u64::from(words[0]) << 32 | u64::from(words[1])",
            "u64::from(words[1]) << 32 | u64::from(words[0])",
        ),
    ),
];

/// One line that another takes the place of.
const fn line(
    tests: &'static [&'static str],
    name: &'static str,
    file: &'static str,
    (from, to): (&'static str, &'static str),
) -> Mutation {
    Mutation { name, file, change: Change::Text { from, to }, tests }
}
