use super::*;

const LOGITS: [f32; 6] = [1.0, 3.0, 2.0, 3.0, -1.0, 0.5];

fn choose(settings: Sampling, history: &[u32], prompt: usize) -> Choice {
    Sampler::new(settings, Isa::best()).choose(&LOGITS, history, prompt)
}

fn drawn(settings: &Sampling, draws: u64) -> [usize; 6] {
    let mut counts = [0; 6];
    for seed in 0..draws {
        let settings = Sampling { seed, ..settings.clone() };
        counts[choose(settings, &[], 0).token as usize] += 1;
    }
    counts
}

fn open() -> Sampling {
    Sampling { temperature: 1.0, top_p: 1.0, ..Sampling::default() }
}

#[test]
fn greedy_takes_the_lowest_of_equals() {
    assert_eq!(choose(Sampling::greedy(), &[], 0).token, 1);
}

#[test]
fn draws_follow_the_probabilities() {
    let total: f64 = LOGITS.iter().map(|x| f64::from(*x).exp()).sum();
    let counts = drawn(&open(), 4000);
    for (count, logit) in counts.iter().zip(LOGITS) {
        let expected = 4000.0 * f64::from(logit).exp() / total;
        assert!((*count as f64 - expected).abs() < 4.0 * expected.sqrt() + 4.0, "{counts:?}");
    }
}

/// With seed 0 the numbers at positions 0 and 1 are 0.399 and 0.972; with seed 1 the first is
/// 0.890.
#[test]
fn a_draw_walks_from_the_heaviest_and_from_the_lowest_of_equals() {
    let drawn = |logits: &[f32], seed, history: &[u32]| {
        Sampler::new(Sampling { seed, ..open() }, Isa::best()).choose(logits, history, 0).token
    };
    // Four quarters: 0.399 lies in the second, 0.972 in the last.
    assert_eq!(drawn(&[0.0; 4], 0, &[]), 1);
    assert_eq!(drawn(&[0.0; 4], 0, &[2]), 3);
    // Weights 1, 0.37 and 0.14 of 1.5: 0.890 of it is 1.34, which lies in the second.
    assert_eq!(drawn(&[0.0, 1.0, 2.0], 1, &[]), 1);
}

#[test]
fn each_filter_keeps_what_it_says() {
    let kept = |settings: Sampling| {
        let counts = drawn(&settings, 600);
        (0..6).filter(|token| counts[*token] > 0).collect::<Vec<_>>()
    };
    assert_eq!(kept(Sampling { top_k: 2, ..open() }), [1, 3]);
    assert_eq!(kept(Sampling { top_k: 1, ..open() }), [1]);
    // 1 and 3 have 0.39 each, 2 has 0.14.
    assert_eq!(kept(Sampling { top_p: 0.3, ..open() }), [1]);
    assert_eq!(kept(Sampling { top_p: 0.7, ..open() }), [1, 3]);
    assert_eq!(kept(Sampling { top_p: 0.85, ..open() }), [1, 2, 3]);
    assert_eq!(kept(Sampling { min_p: 0.3, ..open() }), [1, 2, 3]);
    assert_eq!(kept(Sampling { top_p: 0.0, ..open() }), [1]);
    // top-p counts within what top-k has left: 1 and 3 are halves there.
    assert_eq!(kept(Sampling { top_k: 2, top_p: 0.45, ..open() }), [1]);
}

#[test]
fn penalties_and_bias_move_the_choice() {
    let greedy = Sampling::greedy;
    let token =
        |settings: Sampling, history: &[u32], prompt| choose(settings, history, prompt).token;
    assert_eq!(token(Sampling { logit_bias: vec![(4, 9.0)], ..greedy() }, &[], 0), 4);
    assert_eq!(token(Sampling { presence_penalty: 0.5, ..greedy() }, &[1], 0), 3);
    assert_eq!(token(Sampling { frequency_penalty: 0.4, ..greedy() }, &[1, 1, 1, 3, 3, 3], 0), 2);
    // Given tokens are not generated ones, but they are repeated.
    assert_eq!(token(Sampling { presence_penalty: 0.5, ..greedy() }, &[1], 1), 1);
    assert_eq!(token(Sampling { repetition_penalty: 2.0, ..greedy() }, &[1], 1), 3);
}

#[test]
fn log_probabilities_are_the_models_own() {
    let settings = Sampling { temperature: 0.1, top_logprobs: 3, ..Sampling::default() };
    let choice = choose(settings, &[], 0);
    let total: f64 = LOGITS.iter().map(|x| f64::from(*x).exp()).sum();
    let expected = |token: usize| (f64::from(LOGITS[token]) - total.ln()) as f32;
    let tokens: Vec<u32> = choice.top.iter().map(|(token, _)| *token).collect();
    assert_eq!(tokens, [1, 3, 2]);
    for (token, logprob) in choice.top.iter().chain([&(choice.token, choice.logprob)]) {
        assert!((logprob - expected(*token as usize)).abs() < 1e-6);
    }
}

/// How many tokens stay of these logits.
fn kept(settings: Sampling, logits: &[f32]) -> usize {
    let mut sampler = Sampler::new(settings, Isa::best());
    sampler.choose(logits, &[], 0);
    let order = &mut Order::new(&sampler.logits, (Isa::best(), LIKELY), &mut sampler.window);
    keep(&sampler.settings, order).count
}

#[test]
fn a_wide_flat_distribution_is_cut_where_it_must() {
    let logits: Vec<f32> = (0..5000).map(|i| -(i as f32) * 1e-6).collect();
    // Σ (1 − i·1e-6) up to 2496 is just less than half of all.
    assert_eq!(kept(Sampling { top_p: 0.5, ..open() }, &logits), 2497);
    assert_eq!(kept(Sampling { top_k: 1234, ..open() }, &logits), 1234);
    assert_eq!(kept(open(), &logits), 5000);
}

#[test]
fn settings_at_the_edge_still_choose() {
    let token = |settings: Sampling| choose(settings, &[], 0).token;
    for temperature in [1e-30, 1e-38, f32::from_bits(1)] {
        assert!([1, 3].contains(&token(Sampling { temperature, ..open() })), "{temperature}");
    }
    // A division that overflows must not hide which was the best.
    let logit_bias = vec![(4, 3.0e5)];
    assert_eq!(token(Sampling { temperature: 1e-38, logit_bias, ..open() }), 4);
    let (min_p, logit_bias) = (1.0, vec![(4, 1e6)]);
    assert_eq!(token(Sampling { min_p, logit_bias, ..open() }), 4);
    let none = (0..6).map(|token| (token, f32::NEG_INFINITY)).collect();
    assert_eq!(token(Sampling { logit_bias: none, ..open() }), 0);
}

#[test]
fn a_token_that_a_bias_takes_away_is_no_candidate() {
    let logit_bias = [1, 2, 3].map(|token| (token, f32::NEG_INFINITY)).to_vec();
    assert_eq!(kept(Sampling { logit_bias, ..open() }, &LOGITS), 3, "of six");
}
