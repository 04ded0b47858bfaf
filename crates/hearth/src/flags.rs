//! The command line, as data.

use core::net::IpAddr;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;

use api::keys::Scope;
use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use kernels::Kept;
use models::import::Quant;

/// Local AI on hardware you own: one binary, the same bits everywhere.
#[derive(Parser)]
#[command(name = "hearth", version, max_term_width = 100, args_override_self = true)]
pub struct Flags {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Ask a model, or chat with it
    Run(Run),
    /// Answer the clients of OpenAI, Anthropic and Ollama, with one model or several
    Serve(Serve),
    /// Show the settings of `hearth serve`, and where each of them comes from
    Config(Config),
    /// Make, list and revoke keys, without which a server that has any answers nobody
    #[command(subcommand)]
    Key(Key),
    /// Answer a question from documents, by quoting them
    Ask(Ask),
    /// Fill in the fields of a JSON schema from documents
    Extract(Extract),
    /// Choose a label for each line
    Classify(Classify),
    /// Show in a minute what can be done without any other model
    Demo(Demo),
    /// Bring a model to this machine, and give it a name
    Pull(Pull),
    /// Show what has changed where models came from, and take it if that is wanted
    Update(Update),
    /// List the models on this machine
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
        /// The names that can be pulled without saying where from
        #[arg(long, conflicts_with_all = ["json", "elsewhere"])]
        all: bool,
        /// What Ollama, Hugging Face's tools and LM Studio have here, and how it is pulled
        #[arg(long, conflicts_with = "json")]
        elsewhere: bool,
    },
    /// Remove models, and the files that no other model has
    Rm(Rm),
    /// Read the files of models whole, and tell whether a bit has changed
    Verify(Verify),
    /// Make one GGUF file of a Hugging Face folder, or of another GGUF file
    Import(Import),
    /// Show what is in a model file
    Show(Show),
    /// Write the logits of given tokens, to compare with a reference
    Logits(Logits),
    /// Measure how fast a model runs here
    Bench(Bench),
}

/// How keys and values are kept.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kv {
    F32,
    F16,
    I16,
}

impl Kv {
    pub const fn kept(self) -> Kept {
        match self {
            Kv::F32 => Kept::F32,
            Kv::F16 => Kept::F16,
            Kv::I16 => Kept::I16,
        }
    }
}

/// How the machine is used; but for `--kv` this changes speed and memory and never a bit of the
/// output.
#[derive(Args, Clone)]
pub struct MachineFlags {
    /// Threads [default: one per physical core that this process may use, within its CPU quota]
    #[arg(long, env = "HEARTH_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Instruction set: portable, avx2, avx512, amx or neon [default: the best there is]
    #[arg(long, env = "HEARTH_ISA", value_name = "NAME")]
    pub isa: Option<String>,
    /// Prompt tokens computed together
    #[arg(long, default_value_t = 512, env = "HEARTH_CHUNK", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub chunk: u32,
    /// How keys and values of conversations are kept: f32, or rounded, in half the memory, to f16
    /// or i16, whole numbers, the fastest where prompts are long [default: i16 where weights are
    /// quantised, else f32]
    #[arg(long, env = "HEARTH_KV", value_name = "FORMAT", hide_possible_values = true)]
    pub kv: Option<Kv>,
    /// Tokens that a conversation may have, and for which there must be memory before the model is
    /// loaded [default: what the model was made for, with memory for 4096]
    #[arg(long, env = "HEARTH_CONTEXT", value_name = "N", value_parser = positive)]
    pub context: Option<usize>,
    /// Load a model even if memory does not suffice; weights are read from the file again and again
    #[arg(long, env = "HEARTH_NO_FIT_CHECK", value_parser = BoolishValueParser::new())]
    pub no_fit_check: bool,
}

#[derive(Args)]
pub struct Run {
    /// A GGUF file, a Hugging Face folder or `kindling` [default: kindling, which is inside hearth]
    pub model: Option<PathBuf>,
    /// The question; without it, what is piped in, or a chat
    pub prompt: Vec<String>,
    /// What the model is told before everything else
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Continue the prompt as it is, without the model's chat template
    #[arg(long)]
    pub raw: bool,
    /// Show tokens and speed after each answer
    #[arg(long, short)]
    pub verbose: bool,
    #[command(flatten)]
    pub sampling: SamplingFlags,
    #[command(flatten)]
    pub machine: MachineFlags,
}

/// Which model does small jobs, and how.
#[derive(Args)]
pub struct JobFlags {
    /// The model: a GGUF file, a Hugging Face folder, or kindling, which is part of hearth
    #[arg(long, short, default_value = "kindling", env = "HEARTH_MODEL", value_name = "MODEL")]
    pub model: PathBuf,
    /// Texts that are read at once
    #[arg(long, default_value_t = 16, env = "HEARTH_PARALLEL", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub parallel: u16,
    #[command(flatten)]
    pub machine: MachineFlags,
}

#[derive(Args)]
pub struct Ask {
    /// Files of text, Markdown or HTML, or folders of them; and last the question
    #[arg(required = true, num_args = 1.., value_names = ["FILE… QUESTION"])]
    pub files_and_question: Vec<OsString>,
    /// Passages that are looked at, those first in which words of the question stand
    #[arg(long, default_value_t = tasks::ask::PASSAGES, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=100))]
    pub passages: u16,
    /// How sure a quotation has to be to be the answer; else it is only shown
    #[arg(long, default_value_t = tasks::ask::SURE, value_name = "P", value_parser = share)]
    pub sure: f64,
    /// Answer as one line of JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub job: JobFlags,
}

#[derive(Args)]
pub struct Extract {
    /// A JSON schema of an object, whose properties are the fields
    #[arg(long, short, value_name = "FILE")]
    pub schema: PathBuf,
    /// Files of text, Markdown or HTML, or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Let texts be other than words of the document, such as a summary
    #[arg(long)]
    pub free: bool,
    /// Tell file and confidence with each result, as a line of JSON
    #[arg(long)]
    pub jsonl: bool,
    #[command(flatten)]
    pub job: JobFlags,
}

#[derive(Args)]
pub struct Classify {
    /// Labels as TOML, each `name = "when it fits"`
    #[arg(long, short, value_name = "FILE")]
    pub labels: PathBuf,
    /// The lines [default: what is piped in]
    #[arg(value_name = "FILE")]
    pub lines: Option<PathBuf>,
    /// Write results to this file, and go on with it if some are there already
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write each result as a line of JSON
    #[arg(long)]
    pub jsonl: bool,
    #[command(flatten)]
    pub job: JobFlags,
}

#[derive(Args)]
pub struct Demo {
    #[command(flatten)]
    pub job: JobFlags,
}

#[derive(Args)]
pub struct SamplingFlags {
    /// How daring: 0 always takes the most probable token [default: what the model recommends, else
    /// 0.7]
    #[arg(long, value_name = "T")]
    pub temperature: Option<f32>,
    /// Choose among the K most probable tokens; 0 is all [default: what the model recommends, else
    /// 0]
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Choose among the most probable tokens that together reach P [default: what the model
    /// recommends, else 0.95]
    #[arg(long, value_name = "P")]
    pub top_p: Option<f32>,
    /// Drop tokens less than P times as probable as the best [default: what the model recommends,
    /// else 0]
    #[arg(long, value_name = "P")]
    pub min_p: Option<f32>,
    /// Make tokens that were there before less probable; 1 does nothing [default: what the model
    /// recommends, else 1]
    #[arg(long, value_name = "F")]
    pub repetition_penalty: Option<f32>,
    /// Lower tokens by F for each time they were generated
    #[arg(long, default_value_t = 0.0, value_name = "F", allow_hyphen_values = true)]
    pub frequency_penalty: f32,
    /// Lower tokens by F if they were generated
    #[arg(long, default_value_t = 0.0, value_name = "F", allow_hyphen_values = true)]
    pub presence_penalty: f32,
    /// Add BIAS to the logit of a token; may be repeated
    #[arg(long, value_name = "TOKEN=BIAS", value_parser = logit_bias, allow_hyphen_values = true)]
    pub logit_bias: Vec<(u32, f32)>,
    /// The same seed gives the same answer
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Stop after N tokens [default: when the context is full]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_tokens: Option<usize>,
    /// Stop before this text; may be repeated
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub stop: Vec<String>,
}

#[derive(Args)]
pub struct Serve {
    /// Pulled names, GGUF files, Hugging Face folders or `kindling`, each as it is or NAME=MODEL;
    /// the first is loaded at once [default: kindling, which is inside hearth]
    #[arg(value_name = "MODEL")]
    pub models: Vec<String>,
    /// A file of settings [default: hearth.toml in the folder of hearth's data]
    #[arg(long, env = "HEARTH_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The address to listen on; beyond this machine who asks needs a key
    #[arg(long, default_value = "127.0.0.1", env = "HEARTH_HOST", value_name = "ADDRESS",
          value_parser = host)]
    pub host: IpAddr,
    /// The port to listen on
    #[arg(long, default_value_t = 11435, env = "HEARTH_PORT", value_name = "N")]
    pub port: u16,
    /// Answers that are written at once; more wait
    #[arg(long, default_value_t = 16, env = "HEARTH_PARALLEL", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub parallel: u16,
    /// Requests that may wait for a model while it answers others; more are sent away for now
    #[arg(long, default_value_t = 256, env = "HEARTH_WAITING", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub waiting: u32,
    /// Tokens of an answer for which the client states no limit
    #[arg(long, default_value_t = 4096, env = "HEARTH_ANSWER_TOKENS", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub answer_tokens: u32,
    /// How long an answer may take, waiting included; then it ends where it is [default: no limit]
    #[arg(long, env = "HEARTH_ANSWER_SECONDS", value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub answer_seconds: Option<u32>,
    /// Memory for what a model keeps of conversations [default: its part of half of what is free]
    #[arg(long, env = "HEARTH_CACHE", value_name = "GIB", value_parser = gib)]
    pub cache: Option<f32>,
    /// Unload a model that nobody has asked for so long [default: never]
    #[arg(long, env = "HEARTH_KEEP_ALIVE", value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(0..))]
    pub keep_alive: Option<u32>,
    /// Whether who asks needs a key [default: required if `hearth key add` has made any]
    #[arg(long, env = "HEARTH_KEYS", value_enum, value_name = "WHEN")]
    pub keys: Option<KeysNeeded>,
    /// A name by which the server is asked besides localhost, through a proxy; may be repeated
    #[arg(long, env = "HEARTH_NAME", value_delimiter = ',', value_name = "HOST",
          value_parser = name)]
    pub name: Vec<String>,
    /// A web page that may ask besides those of localhost, as https://HOST; may be repeated
    #[arg(long, env = "HEARTH_ORIGIN", value_delimiter = ',', value_name = "URL",
          value_parser = origin)]
    pub origin: Vec<String>,
    /// How long what was asked may go on after Ctrl-C
    #[arg(long, default_value_t = 30, env = "HEARTH_DRAIN", value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(0..))]
    pub drain: u32,
    /// A certificate, with those that vouch for it, to speak HTTPS [default: plain HTTP]
    #[arg(long, env = "HEARTH_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The key of that certificate [default: plain HTTP]
    #[arg(long, env = "HEARTH_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub log: LogFlags,
    #[command(flatten)]
    pub machine: MachineFlags,
}

/// What is written to standard error while a server runs.
#[derive(Args)]
pub struct LogFlags {
    /// How much is logged: nothing, or all that is at least so grave
    #[arg(long, default_value = "info", env = "HEARTH_LOG", value_enum, value_name = "LEVEL")]
    pub log: Level,
    /// As lines for people, or each as a JSON object
    #[arg(
        long,
        default_value = "text",
        env = "HEARTH_LOG_FORMAT",
        value_enum,
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
    /// Log what is asked and answered as well; goes with --log debug
    #[arg(long, env = "HEARTH_LOG_CONTENT", value_parser = BoolishValueParser::new())]
    pub log_content: bool,
}

/// How grave a line of the log is; as a limit, all up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

/// What a line of the log looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Args)]
pub struct Config {
    /// Every setting with its meaning, as a file that may be edited
    #[arg(long)]
    pub explain: bool,
    /// As a JSON array
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub serve: Serve,
}

/// Whether who asks needs a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeysNeeded {
    /// Nobody is let in without one
    Required,
    /// Every program on this machine may ask
    Off,
}

#[derive(Subcommand)]
pub enum Key {
    /// Make a key and print it, this one time
    Add(AddKey),
    /// List the keys that there are
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Make a key good for nothing from now on
    Revoke {
        /// What it is called
        name: String,
    },
}

#[derive(Args)]
pub struct AddKey {
    /// Whose it is, such as `laptop`
    #[arg(value_parser = key_name)]
    pub name: String,
    /// What it is good for: list (models), ask, manage, watch
    #[arg(long, default_value = "list,ask", value_delimiter = ',', value_name = "A,B",
          value_parser = scope)]
    pub scope: Vec<Scope>,
    /// Requests per minute [default: no limit]
    #[arg(long, value_name = "N")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens per minute, of prompts and answers together [default: no limit]
    #[arg(long, value_name = "N")]
    pub tokens_per_minute: Option<NonZeroU32>,
    /// Requests at once [default: no limit]
    #[arg(long, value_name = "N")]
    pub concurrent: Option<NonZeroU32>,
    /// After so many days it is good for nothing [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36500))]
    pub expires: Option<u32>,
}

/// How models are fetched.
#[derive(Args)]
pub struct GetFlags {
    /// Connections for each large file
    #[arg(long, default_value_t = 4, env = "HEARTH_CONNECTIONS", value_name = "N",
          value_parser = clap::value_parser!(u8).range(1..=32))]
    pub connections: u8,
    /// Ask nobody; what would have to be fetched is an error
    #[arg(long, env = "HEARTH_OFFLINE", value_parser = BoolishValueParser::new())]
    pub offline: bool,
    /// Copy files of this machine into the store, instead of leaving them where they are
    #[arg(long)]
    pub copy: bool,
    /// Tell progress in lines of JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub machine: MachineFlags,
}

#[derive(Args)]
pub struct Pull {
    /// A short name, as `hearth list --all` shows them; or hf:OWNER/REPO[:FORM|FILE][@REVISION],
    /// ollama:NAME[:TAG], oci:HOST/REPO[:TAG], an https address, a file or a folder
    pub model: String,
    /// The name it gets [default: one after its source]
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// The form to take, such as Q4_K_M [default: the usual one that fits]
    #[arg(long, value_name = "FORM")]
    pub quant: Option<String>,
    #[command(flatten)]
    pub how: GetFlags,
}

#[derive(Args)]
pub struct Update {
    /// What they are called [default: all]
    #[arg(value_name = "NAME", required_if_eq("rollback", "true"))]
    pub names: Vec<String>,
    /// Only show
    #[arg(long)]
    pub check: bool,
    /// Take what is new without asking
    #[arg(long, short, conflicts_with = "check")]
    pub yes: bool,
    /// Go back to what was there before the last update; once more undoes that
    #[arg(long, conflicts_with_all = ["check", "yes"])]
    pub rollback: bool,
    #[command(flatten)]
    pub how: GetFlags,
}

#[derive(Args)]
pub struct Rm {
    /// What they are called; without any, only what nothing names is removed
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Remove what names stood for before, too: there is no going back to it then
    #[arg(long)]
    pub history: bool,
    /// Remove what has come of downloads that are not complete: they begin anew then
    #[arg(long)]
    pub unfinished: bool,
}

#[derive(Args)]
pub struct Verify {
    /// What they are called [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// A JSON object for each model
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Import {
    /// A folder with config.json, tokenizer.json and *.safetensors, or a GGUF file
    #[arg(value_name = "DIR|FILE")]
    pub from: PathBuf,
    /// How its matrices are stored: f32, f16, bf16, q8_0, q6_k, q5_k_m, q5_k_s, q5_1, q5_0, q4_k_m,
    /// q4_k_s, q4_1, q4_0, iq4_nl, q3_k_l, q3_k_m, q3_k_s or q2_k
    #[arg(long, default_value = "q8_0", value_name = "FORMAT", value_parser = quant)]
    pub quant: Quant,
    /// The file to write [default: the model's name and the format, in the current folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What the model says that it is called [default: the folder's name, or what a file says]
    #[arg(long)]
    pub name: Option<String>,
    /// Threads, which change no bit of the file [default: one per physical core that this process
    /// may use, within its CPU quota]
    #[arg(long, env = "HEARTH_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// List what every tensor has lost
    #[arg(long, short)]
    pub verbose: bool,
    /// The file and what every tensor has lost, as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// The format of this name.
fn quant(name: &str) -> Result<Quant, String> {
    let known = || Quant::all().map(Quant::name).collect::<Vec<_>>().join(", ");
    Quant::by_name(name).ok_or_else(|| format!("the formats are {}", known()))
}

#[derive(Args)]
pub struct Show {
    /// A GGUF file, a Hugging Face folder or `kindling`
    pub model: PathBuf,
    /// List every tensor
    #[arg(long)]
    pub tensors: bool,
    /// List every metadata key
    #[arg(long)]
    pub keys: bool,
    /// Print the chat template
    #[arg(long)]
    pub template: bool,
    /// Everything as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Load it, fill conversations up, and compare the memory that was told with what is taken
    #[arg(long)]
    pub measure: bool,
    /// Conversations for which memory is told
    #[arg(long, default_value_t = 1, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub users: u16,
    #[command(flatten)]
    pub machine: MachineFlags,
}

#[derive(Args)]
pub struct Logits {
    /// A GGUF file, a Hugging Face folder or `kindling`
    pub model: PathBuf,
    /// Token ids: a safetensors file with `input_ids`, or a text file of integers
    #[arg(long, value_name = "FILE")]
    pub ids: PathBuf,
    /// Where to write `logits`, f32 (tokens, vocabulary), and `greedy`
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Continue with the N most probable tokens
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub greedy: usize,
    #[command(flatten)]
    pub machine: MachineFlags,
}

#[derive(Args)]
pub struct Bench {
    /// A GGUF file, a Hugging Face folder or `kindling`
    pub model: PathBuf,
    /// Tokens of the prompt
    #[arg(long, default_value_t = 512, value_name = "N", value_parser = positive)]
    pub prompt: usize,
    /// Tokens to generate
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = positive)]
    pub generate: usize,
    /// Numbers of users who generate at once
    #[arg(long, default_value = "1", value_delimiter = ',', value_name = "A,B",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub streams: Vec<u16>,
    /// Lengths of further prompts, each with an answer after it
    #[arg(long, value_delimiter = ',', value_name = "A,B", value_parser = positive)]
    pub contexts: Vec<usize>,
    /// Measure what guessing ahead brings, where an answer repeats itself and where it does not
    #[arg(long)]
    pub guesses: bool,
    /// How often everything is measured; the medians count
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = positive)]
    pub rounds: usize,
    /// One JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub machine: MachineFlags,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("must be a positive number".to_owned()),
    }
}

fn gib(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(size) if (0.0..=1e6).contains(&size) => Ok(size),
        _ => Err("must be a size in GiB, such as 8 or 0.5".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be from 0 to 1".to_owned()),
    }
}

fn host(text: &str) -> Result<IpAddr, String> {
    let text = if text == "localhost" { "127.0.0.1" } else { text };
    text.parse().map_err(|_| "must be an address such as 0.0.0.0 or 127.0.0.1".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("must be a name such as lab.example, without scheme and port".to_owned()),
    }
}

fn origin(text: &str) -> Result<String, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    match text.split_once("://") {
        Some((scheme, host)) if !scheme.is_empty() && !host.is_empty() && !host.contains('/') => {
            Ok(text.to_owned())
        }
        _ => Err("must be a scheme and a host, such as https://chat.example".to_owned()),
    }
}

fn key_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_alphanumeric() || "._@-".contains(c);
    match (1..=64).contains(&text.chars().count()) && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 64 letters, digits, dots, dashes, _ or @".to_owned()),
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    let names = Scope::GIVEN.map(Scope::name).join(", ");
    let known = Scope::GIVEN.into_iter().find(|scope| scope.name() == text);
    known.ok_or_else(|| format!("must be some of {names}"))
}

fn logit_bias(text: &str) -> Result<(u32, f32), String> {
    let (token, bias) = text.split_once('=').ok_or("must be TOKEN=BIAS, such as 42=-100")?;
    let token = token.parse().map_err(|_| format!("`{token}` is no token id"))?;
    let bias = bias.parse().map_err(|_| format!("`{bias}` is no number"))?;
    Ok((token, bias))
}

impl SamplingFlags {
    /// What they state.
    pub fn wishes(&self) -> turn::Wishes {
        turn::Wishes {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: Some(self.frequency_penalty),
            presence_penalty: Some(self.presence_penalty),
            logit_bias: Some(self.logit_bias.clone()),
            seed: Some(self.seed),
            top_logprobs: None,
        }
    }

    /// When to stop.
    pub fn limits(&self) -> turn::Limits {
        turn::Limits { tokens: self.max_tokens, stop: self.stop.clone() }
    }
}
