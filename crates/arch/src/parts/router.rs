//! How rows choose their experts, and how much each counts.

use kernels::portable::math::{exp, sigmoid};
use kernels::{Choice, Isa};

/// How the scores of experts become choices and weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Score {
    /// By a softmax over the chosen ones.
    Renormalised,
    /// By a softmax over all.
    Softmax,
    /// Each by its sigmoid, with which the expert's input is multiplied and not its output.
    SigmoidOfInput,
    /// By sigmoids, of experts from the best groups.
    Grouped(Groups),
}

/// Experts in groups. A bias is added to their sigmoids for the choice, and not for the weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Groups {
    pub count: usize,
    /// Groups that a row may choose from: those whose best two are the largest together.
    pub open: usize,
    /// Whether the weights of a row are made to add up to one, before they are scaled.
    pub renormalised: bool,
    pub scale: f32,
}

/// Scores with which a row chooses from groups, kept from row to row.
#[derive(Default)]
pub(crate) struct GroupScores {
    biased: Vec<f32>,
    /// Of each group the best two together.
    sums: Vec<f32>,
    closed: Vec<bool>,
}

impl Score {
    /// Adds the `each` experts with the largest scores, of equals the lower ones, and their
    /// weights. The scores are spoilt.
    pub fn choose(
        self,
        isa: Isa,
        (scores, bias): (&mut [f32], &[f32]),
        each: usize,
        (choices, buffers): (&mut Vec<Choice>, &mut GroupScores),
    ) {
        let first = choices.len();
        let largest = isa.largest(scores);
        let total = match self {
            Score::Grouped(groups) => {
                groups.choose((scores, bias), each, (choices, buffers));
                return groups.weigh(&mut choices[first..]);
            }
            Score::Softmax => Some(isa.sum_of_exps(scores, largest) as f32),
            Score::Renormalised | Score::SigmoidOfInput => None,
        };
        for _ in 0..each {
            let (expert, score) = take_best(scores);
            let weight = match self {
                Score::SigmoidOfInput => sigmoid(score),
                _ => exp(score - largest),
            };
            choices.push((expert as u32, weight));
        }
        if self != Score::SigmoidOfInput {
            let chosen = &mut choices[first..];
            let total = total.unwrap_or_else(|| sum(chosen));
            chosen.iter_mut().for_each(|(_, weight)| *weight /= total);
        }
    }
}

impl Groups {
    fn choose(
        self,
        (scores, bias): (&mut [f32], &[f32]),
        each: usize,
        (choices, buffers): (&mut Vec<Choice>, &mut GroupScores),
    ) {
        let of_group = scores.len() / self.count;
        let GroupScores { biased, sums, closed } = buffers;
        scores.iter_mut().for_each(|score| *score = sigmoid(*score));
        biased.clear();
        biased.extend(scores.iter().zip(bias).map(|(score, bias)| score + bias));
        if self.open < self.count {
            sums.clear();
            sums.extend(biased.chunks_exact(of_group).map(best_two));
            closed.clear();
            closed.resize(self.count, true);
            (0..self.open).for_each(|_| closed[take_best(sums).0] = false);
            for (group, _) in biased.chunks_exact_mut(of_group).zip(closed).filter(|(_, c)| **c) {
                group.fill(f32::NEG_INFINITY);
            }
        }
        for _ in 0..each {
            let (expert, _) = take_best(biased);
            choices.push((expert as u32, scores[expert]));
        }
    }

    fn weigh(self, chosen: &mut [Choice]) {
        /// So that nothing is divided by zero.
        const LITTLE: f32 = 1e-20;
        let total = if self.renormalised { sum(chosen) + LITTLE } else { 1.0 };
        chosen.iter_mut().for_each(|(_, weight)| *weight = *weight / total * self.scale);
    }
}

/// In the order of choice.
fn sum(chosen: &[Choice]) -> f32 {
    chosen.iter().map(|(_, weight)| weight).sum()
}

/// The largest score, of equals the first, which is no score any more.
fn take_best(scores: &mut [f32]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (i, score) in scores.iter().enumerate() {
        if *score > best.1 {
            best = (i, *score);
        }
    }
    scores[best.0] = f32::NEG_INFINITY;
    best
}

fn best_two(group: &[f32]) -> f32 {
    let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for score in group {
        if *score > first {
            (first, second) = (*score, first);
        } else if *score > second {
            second = *score;
        }
    }
    first + second
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(score: Score, scores: &[f32], bias: &[f32], each: usize) -> Vec<Choice> {
        let mut choices = Vec::new();
        let to = (&mut choices, &mut GroupScores::default());
        score.choose(Isa::PORTABLE, (&mut scores.to_vec(), bias), each, to);
        choices
    }

    fn experts(choices: &[Choice]) -> Vec<u32> {
        choices.iter().map(|(expert, _)| *expert).collect()
    }

    #[test]
    fn equal_scores_go_to_the_lower_expert() {
        let chosen = choose(Score::Renormalised, &[1.0, 3.0, 3.0, 1.0], &[], 3);
        assert_eq!(experts(&chosen), [1, 2, 0]);
        assert!((sum(&chosen) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_best_expert_of_a_closed_group_is_not_chosen() {
        let groups = Groups { count: 2, open: 1, renormalised: false, scale: 2.0 };
        // The largest is in the first group, the largest two together are in the second.
        let scores = [3.0, -3.0, 2.0, 1.0];
        let chosen = choose(Score::Grouped(groups), &scores, &[0.0; 4], 2);
        assert_eq!(chosen, [(2, 2.0 * sigmoid(2.0)), (3, 2.0 * sigmoid(1.0))]);
        // A bias moves the choice, and not the weight.
        let chosen = choose(Score::Grouped(groups), &scores, &[1.0, 1.0, 0.0, 0.0], 1);
        assert_eq!(chosen, [(0, 2.0 * sigmoid(3.0))]);
        let all = Groups { open: 2, renormalised: true, ..groups };
        let chosen = choose(Score::Grouped(all), &scores, &[0.0; 4], 2);
        assert_eq!(experts(&chosen), [0, 2]);
        assert!((sum(&chosen) - 2.0).abs() < 1e-6);
    }
}
