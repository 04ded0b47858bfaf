//! What a server counts, as Prometheus reads it: `/metrics`.
//!
//! Names are vLLM's where they mean the same, so that dashboards that people have show a hearth as
//! well. Nothing in it tells who asked or what.

mod histogram;

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use turn::{Account, Finish, Times};

use histogram::{Histogram, SECONDS, TOKENS};

use crate::Resident;
use crate::record::{Record, Witness};

/// Counts of one server.
#[derive(Default)]
pub struct Metrics {
    /// By method, route and status.
    requests: Mutex<BTreeMap<Request, u64>>,
    models: Mutex<BTreeMap<String, Turns>>,
}

/// Method, route and status; 499 where the client was gone before there was one.
type Request = (String, &'static str, u16);

/// What came of the turns of one model.
#[derive(Clone)]
struct Turns {
    prompt: u64,
    /// Tokens of texts that became vectors.
    embedded: u64,
    cached: u64,
    generated: u64,
    /// By why they ended.
    finished: BTreeMap<&'static str, u64>,
    prompts: Histogram,
    replies: Histogram,
    queue: Histogram,
    prefill: Histogram,
    decode: Histogram,
    first: Histogram,
    each: Histogram,
    whole: Histogram,
}

impl Default for Turns {
    fn default() -> Turns {
        let (seconds, tokens) = (|| Histogram::new(&SECONDS), || Histogram::new(&TOKENS));
        Turns {
            prompt: 0,
            embedded: 0,
            cached: 0,
            generated: 0,
            finished: BTreeMap::new(),
            prompts: tokens(),
            replies: tokens(),
            queue: seconds(),
            prefill: seconds(),
            decode: seconds(),
            first: seconds(),
            each: seconds(),
            whole: seconds(),
        }
    }
}

impl Metrics {
    /// A turn is over.
    pub fn turn(&self, model: &str, account: &Account) {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        match models.get_mut(model) {
            Some(turns) => turns.add(account),
            None => models.entry(model.to_owned()).or_default().add(account),
        }
    }

    /// Texts have become vectors.
    pub fn embedded(&self, model: &str, tokens: usize) {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.entry(model.to_owned()).or_default().embedded += tokens as u64;
    }

    /// All of it, beside what the models do now.
    pub fn text(&self, residents: &[Resident]) -> String {
        // Copied: who counts must not wait for who writes.
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut page = Page::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.head("hearth_build_info", "gauge", "The version that runs.");
        page.line("hearth_build_info", &version, 1);
        page.head("hearth_http_requests_total", "counter", "Requests by route and status.");
        for ((method, route, status), count) in &requests {
            let status = status.to_string();
            let labels = [("method", &method[..]), ("route", route), ("status", &status)];
            page.line("hearth_http_requests_total", &labels, count);
        }
        gauges(&mut page, residents);
        counters(&mut page, &models);
        for (name, help, of) in HISTOGRAMS {
            page.head(name, "histogram", help);
            for (model, turns) in &models {
                of(turns).write(name, ("model_name", model), &mut page);
            }
        }
        page.0
    }
}

impl Witness for Metrics {
    fn over(&self, record: &Record) {
        // Anybody may invent paths and methods; only those of the table are told apart.
        let method = record.route.map_or("other", |_| record.method.as_str()).to_owned();
        let status = record.status.map_or(499, |status| status.as_u16());
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((method, record.route.unwrap_or("none"), status)).or_default() += 1;
    }
}

impl Turns {
    fn add(&mut self, account: &Account) {
        let usage = account.usage;
        self.prompt += usage.prompt_tokens as u64;
        self.cached += usage.cached_tokens as u64;
        self.generated += usage.generated_tokens as u64;
        *self.finished.entry(reason(account.finish)).or_default() += 1;
        self.prompts.add(usage.prompt_tokens as f64);
        self.replies.add(usage.generated_tokens as f64);
        let Times { begun, first, over, loading } = account.times;
        let since = |from: Option<Duration>, to: Duration| Some((to - from?.min(to)).as_secs_f64());
        let decode = since(first, over);
        let later = usage.generated_tokens.saturating_sub(1);
        let each = decode.filter(|_| later > 0).map(|decode| decode / later as f64);
        let prefill = first.and_then(|first| since(begun, first));
        for (histogram, seconds) in [
            // Whoever asks waits for a model that is loaded first, too.
            (&mut self.queue, begun.map(|begun| (loading + begun).as_secs_f64())),
            (&mut self.prefill, prefill),
            (&mut self.decode, decode),
            (&mut self.first, first.map(|first| (loading + first).as_secs_f64())),
            (&mut self.each, each),
            (&mut self.whole, Some((loading + over).as_secs_f64())),
        ] {
            seconds.into_iter().for_each(|seconds| histogram.add(seconds));
        }
    }
}

/// Histograms: what they are called, what they mean, and where they are.
type Row = (&'static str, &'static str, fn(&Turns) -> &Histogram);
const HISTOGRAMS: [Row; 8] = [
    ("vllm:request_prompt_tokens", "Tokens of prompts.", |it| &it.prompts),
    ("vllm:request_generation_tokens", "Tokens of replies.", |it| &it.replies),
    ("vllm:request_queue_time_seconds", "Until a turn begins.", |it| &it.queue),
    ("vllm:request_prefill_time_seconds", "Reading a prompt.", |it| &it.prefill),
    ("vllm:request_decode_time_seconds", "Writing a reply.", |it| &it.decode),
    ("vllm:time_to_first_token_seconds", "Until the first token.", |it| &it.first),
    ("vllm:request_time_per_output_token_seconds", "Between tokens, as a mean.", |it| &it.each),
    ("vllm:e2e_request_latency_seconds", "Until a turn is over.", |it| &it.whole),
];

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::End | Finish::Stop => "stop",
        Finish::Length | Finish::Context | Finish::Form => "length",
        Finish::Cancelled | Finish::Deadline => "abort",
    }
}

fn gauges(page: &mut Page, residents: &[Resident]) {
    type Row = (&'static str, &'static str, fn(&Resident) -> f64);
    const ROWS: [Row; 5] = [
        ("vllm:num_requests_running", "Turns that are read or written.", |it| it.running as f64),
        ("vllm:num_requests_waiting", "Turns that wait.", |it| it.waiting as f64),
        ("vllm:kv_cache_usage_perc", "Of the room for conversations, 1 is all.", |it| {
            it.kept as f64 / it.room.max(1) as f64
        }),
        ("hearth_kept_bytes", "Memory for what is kept of conversations.", |it| it.kept as f64),
        ("hearth_model_bytes", "Memory that is set aside for a loaded model.", |it| {
            it.bytes as f64
        }),
    ];
    for (name, help, of) in ROWS {
        page.head(name, "gauge", help);
        for resident in residents {
            page.line(name, &[("model_name", &resident.id)], of(resident));
        }
    }
}

fn counters(page: &mut Page, models: &BTreeMap<String, Turns>) {
    type Row = (&'static str, &'static str, fn(&Turns) -> u64);
    const ROWS: [Row; 4] = [
        ("vllm:prompt_tokens_total", "Tokens that were read.", |it| it.prompt + it.embedded),
        ("vllm:generation_tokens_total", "Tokens of replies.", |it| it.generated),
        ("vllm:prefix_cache_queries_total", "Tokens that may have been kept.", |it| it.prompt),
        ("vllm:prefix_cache_hits_total", "Tokens that had been kept.", |it| it.cached),
    ];
    for (name, help, of) in ROWS {
        page.head(name, "counter", help);
        for (model, turns) in models {
            page.line(name, &[("model_name", model)], of(turns));
        }
    }
    let name = "vllm:request_success_total";
    page.head(name, "counter", "Turns that are over, by why they ended.");
    for (model, turns) in models {
        for (reason, count) in &turns.finished {
            page.line(name, &[("finished_reason", reason), ("model_name", model)], count);
        }
    }
}

/// What Prometheus reads.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escaped =
            |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        let _ = writeln!(self.0, "{name}{{{labels}}} {value}");
    }
}

#[cfg(test)]
mod tests {
    use turn::{Limits, Sampling, Usage};

    use super::*;

    #[test]
    fn turns_are_counted_by_model_and_reason() {
        let metrics = Metrics::default();
        let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
        let seconds = Duration::from_secs;
        let (begun, first) = (Some(seconds(1)), Some(seconds(3)));
        let times = Times { begun, first, over: seconds(7), ..Times::default() };
        let usage = Usage { prompt_tokens: 10, cached_tokens: 4, generated_tokens: 5 };
        let end = |finish| Account { finish, times, usage, ..account.clone() };
        metrics.turn("a\"b", &end(Finish::End));
        metrics.turn("a\"b", &end(Finish::Length));
        metrics.turn("c", &Account { times: Times::default(), ..end(Finish::Cancelled) });
        let resident = Resident { id: "c".to_owned(), room: 8, kept: 2, ..Resident::default() };
        let text = metrics.text(&[resident]);
        for line in [
            "vllm:prompt_tokens_total{model_name=\"a\\\"b\"} 20",
            "vllm:prefix_cache_hits_total{model_name=\"c\"} 4",
            "vllm:request_success_total{finished_reason=\"length\",model_name=\"a\\\"b\"} 1",
            "vllm:request_success_total{finished_reason=\"abort\",model_name=\"c\"} 1",
            "vllm:time_to_first_token_seconds_sum{model_name=\"a\\\"b\"} 6",
            "vllm:time_to_first_token_seconds_count{model_name=\"c\"} 0",
            "vllm:request_time_per_output_token_seconds_bucket{model_name=\"a\\\"b\",le=\"1\"} 2",
            "vllm:request_prefill_time_seconds_bucket{model_name=\"a\\\"b\",le=\"1\"} 0",
            "vllm:kv_cache_usage_perc{model_name=\"c\"} 0.25",
        ] {
            assert!(text.lines().any(|it| it == line), "no {line} in\n{text}");
        }
    }
}
