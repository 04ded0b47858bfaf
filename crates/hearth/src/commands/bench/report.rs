//! What `hearth bench` prints: a table for people, one JSON object for programs.

use std::io::{Write, stdout};

use kernels::Kept;
use serde_json::{Map, Value, json};

use super::bandwidth::Reading;
use super::measure::{Guessed, Round, Speed, Together};
use crate::failure::Failure;
use crate::flags::Bench as Flags;
use crate::output;

/// Everything that was measured.
pub struct Report<'a> {
    /// What was asked for; its lists name the entries of the medians' lists.
    pub flags: &'a Flags,
    pub load_s: f64,
    pub medians: Round,
    pub reading: Reading,
    pub weight_bytes: u64,
    /// How keys and values were kept.
    pub kept: Kept,
    pub rss_bytes: u64,
}

impl Report<'_> {
    /// The part of what the memory gives that reading weights takes while one user is answered.
    fn share(&self) -> f64 {
        self.medians.prompt.decode * self.weight_bytes as f64 / 1e9 / self.reading.gb_s
    }

    fn contexts(&self) -> impl Iterator<Item = (usize, Speed)> {
        self.flags.contexts.iter().copied().zip(self.medians.contexts.iter().copied())
    }

    fn streams(&self) -> impl Iterator<Item = (u16, Together)> {
        self.flags.streams.iter().copied().zip(self.medians.streams.iter().copied())
    }

    /// What guessing brings, by what the answer does.
    fn guesses(&self) -> impl Iterator<Item = ((&'static str, &'static str), Guessed)> {
        [("repeating", "repeats itself"), ("random", "does not")]
            .into_iter()
            .zip(self.medians.guesses.iter().copied())
    }

    pub fn print_json(&self) -> Result<(), Failure> {
        let speed =
            |speed: Speed| json!({ "prefill_tok_s": speed.prefill, "decode_tok_s": speed.decode });
        let contexts: Map<String, Value> =
            self.contexts().map(|(len, of)| (len.to_string(), speed(of))).collect();
        let streams: Map<String, Value> = self
            .streams()
            .map(|(users, Together { decode, own })| {
                (users.to_string(), json!({ "decode_tok_s": decode, "own_share": own }))
            })
            .collect();
        let guesses: Map<String, Value> = self
            .guesses()
            .map(|((key, _), Guessed { without, with, gain, tried })| {
                let speeds = json!({
                    "without_tok_s": without,
                    "with_tok_s": with,
                    "gain": gain,
                    "guesses": tried.made,
                    "right": tried.right,
                });
                (key.to_owned(), speeds)
            })
            .collect();
        let report = json!({
            "load_s": self.load_s,
            "prefill_tok_s": self.medians.prompt.prefill,
            "decode_tok_s": self.medians.prompt.decode,
            "contexts": contexts,
            "streams": streams,
            "guesses": guesses,
            "read_gb_s": self.reading.gb_s,
            "bandwidth_used": self.share(),
            "weight_bytes": self.weight_bytes,
            "rss_bytes": self.rss_bytes,
            "isa": self.reading.isa.name(),
            "kv": self.kept.name(),
            "threads": self.reading.threads,
            "rounds": self.flags.rounds,
        });
        Ok(writeln!(stdout(), "{report}")?)
    }

    pub fn print_table(&self) -> Result<(), Failure> {
        let (mut out, Reading { gb_s, isa, threads }) = (stdout(), &self.reading);
        let rounds = match self.flags.rounds {
            1 => String::new(),
            rounds => format!("; medians of {rounds} rounds"),
        };
        let threads =
            if *threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        let kept = match self.kept {
            Kept::F32 => "",
            Kept::F16 => ", keys and values as f16",
            Kept::I16 => ", keys and values as whole numbers",
        };
        writeln!(out, "{threads}, {}{kept}; loaded in {:.2} s{rounds}\n", isa.name(), self.load_s)?;
        writeln!(out, "  tokens per second         prompt    answer")?;
        let prompt = (self.flags.prompt, self.medians.prompt);
        for (len, Speed { prefill, decode }) in std::iter::once(prompt).chain(self.contexts()) {
            writeln!(out, "  prompt of {len:<12} {prefill:>9.1} {decode:>9.1}")?;
        }
        for (users, Together { decode, own }) in self.streams() {
            let answers = if users == 1 { "answer alone" } else { "answers at once" };
            let own = format!("{:.1} % of the time beside the model", own * 100.0);
            writeln!(out, "  {users:>4} {answers:<18} {decode:>19.1}  in all, {own}")?;
        }
        for ((_, what), Guessed { without, with, gain, tried }) in self.guesses() {
            let right = format!("{} of {} guesses right", tried.right, tried.made);
            let by = format!("{gain:.2} times {without:.1}; {right}");
            writeln!(out, "  answer that {what:<14} {with:>15.1}  {by}")?;
        }
        writeln!(out, "\n  memory reads        {gb_s:>9.1} GB/s")?;
        let (weights, share) = (output::size(self.weight_bytes), self.share() * 100.0);
        writeln!(
            out,
            "  weights per token   {weights:>9}: an answer uses {share:.0} % of the reads"
        )?;
        let most = output::size(self.rss_bytes);
        Ok(writeln!(out, "  memory in use       {most:>9} at most")?)
    }
}
