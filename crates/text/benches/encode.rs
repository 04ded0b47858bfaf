//! Encoding speed, single-threaded, beside the `tokenizers` crate with the same vocabulary.
//!
//! `cargo bench -p text --bench encode`; needs `cargo xtask golden`. Prints megabytes per second
//! of both and their ratio, and asserts only that both give the same ids.

#[path = "../tests/published/mod.rs"]
mod published;

use std::time::{Duration, Instant};

use formats::gguf::Gguf;
use text::tokenizer::{Encode, Tokenizer};

const NAMES: [&str; 4] = ["gpt-2", "llama-bpe", "qwen2", "gemma-4"];
const SIZE: usize = 1 << 20;
const ROUNDS: usize = 5;

fn main() {
    let texts = texts();
    println!(
        "{:10} {:8} {:>12} {:>12} {:>7}",
        "vocabulary", "text", "hearth", "tokenizers", "ratio"
    );
    for name in NAMES {
        let json = serde_json::to_vec(&published::tokenizer_json(name)).expect("JSON");
        let file = Gguf::open(&testkit::vocabulary(name)).expect("the vocabulary");
        let ours = Tokenizer::from_gguf(&file).expect("our tokenizer");
        let peer = tokenizers::Tokenizer::from_bytes(&json).expect("the peer");
        for (kind, text) in &texts {
            let options = Encode { markup: true, add_special: false };
            let (mine, ids) = best(|| ours.encode(text, options));
            let (theirs, expected) =
                best(|| peer.encode_fast(text.as_str(), false).expect("ids").get_ids().to_vec());
            assert!(ids == expected, "{name} {kind}: the ids differ");
            let speed = |time: Duration| text.len() as f64 / 1e6 / time.as_secs_f64();
            let (mine, theirs) = (speed(mine), speed(theirs));
            println!("{name:10} {kind:8} {mine:7.1} MB/s {theirs:7.1} MB/s {:6.1}x", mine / theirs);
        }
    }
}

/// The shortest of some rounds, and the result.
fn best<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut result = run();
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        result = run();
        shortest = shortest.min(start.elapsed());
    }
    (shortest, result)
}

/// One megabyte of each kind of text, and of all kinds in turn.
fn texts() -> Vec<(&'static str, String)> {
    let mut random = Random(1);
    let words = words();
    let mut texts = Vec::new();
    for (kind, part) in [("prose", prose as Part), ("code", code), ("cjk", cjk), ("emoji", emoji)] {
        texts.push((kind, fill(|text| part(&words, &mut random, text))));
    }
    let parts: [Part; 6] = [prose, prose, code, cjk, emoji, digits];
    let mut turn = 0;
    let mixed = fill(|text| {
        parts[turn % parts.len()](&words, &mut random, text);
        turn += 1;
    });
    texts.insert(0, ("mixed", mixed));
    texts
}

type Part = fn(&[String], &mut Random, &mut String);

fn fill(mut part: impl FnMut(&mut String)) -> String {
    let mut text = String::new();
    while text.len() < SIZE {
        part(&mut text);
    }
    text
}

/// A small generator; the text is the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    /// Small numbers often, large ones rarely, as words are used.
    fn zipf(&mut self, end: usize) -> usize {
        let uniform = self.below(1 << 24) as f64 / f64::from(1 << 24);
        ((end as f64).powf(uniform) - 1.0) as usize
    }
}

/// English words, the frequent ones first.
fn words() -> Vec<String> {
    let file = Gguf::open(&testkit::vocabulary("gpt-2")).expect("the vocabulary");
    let tokens = file.array("tokenizer.ggml.tokens").expect("tokens").expect("tokens");
    let words = tokens.strings().expect("strings").filter_map(|token| {
        let word = token.ok()?.strip_prefix('Ġ')?;
        word.chars().all(|c| c.is_ascii_alphabetic()).then(|| word.to_owned())
    });
    words.collect()
}

fn prose(words: &[String], random: &mut Random, text: &mut String) {
    for _ in 0..80 {
        text.push_str(&words[random.zipf(words.len())]);
        if random.below(6) == 0 {
            text.push_str(&words[random.zipf(words.len())].to_lowercase());
        }
        text.push_str(
            [" ", " ", " ", " ", " ", " ", " ", ", ", ". ", "'s ", "; "][random.below(11)],
        );
    }
    text.push_str("\n\n");
}

fn code(words: &[String], random: &mut Random, text: &mut String) {
    for depth in [0, 1, 2, 2, 3, 2, 1, 0] {
        let mut name = || words[random.zipf(words.len())].to_lowercase();
        let (a, b, c) = (name(), name(), name());
        text.push_str(&"    ".repeat(depth));
        text.push_str(&format!("if ({a}_{b}[{depth}] != &self.{c}()) {{ // {b} {c}\n"));
    }
}

fn cjk(_: &[String], random: &mut Random, text: &mut String) {
    const COMMON: &str = concat!(
        "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主",
        "行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走",
        "电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提",
        "感金何更反合放做系计或司利受光王果亲界及今京务制解各任至清物台象记边共风战干接它许八特觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青",
        "管夫连远资队跟带花快条院变联权往展该领传近留红治决周保达办运武半候七必城父强步完革深区即求品士转量空甚众技轻程告江语英基派满式李息写呢识极令黄德收脸钱党倒未持取",
        "设始版双历越史商千片容研像找友孩站广改议形委早房音火际则首单据导影失拿网香似斯专石若兵弟谁校读志飞观争究包组造落视济喜离虽坏",
    );
    let chars: Vec<char> = COMMON.chars().collect();
    for _ in 0..40 {
        for _ in 0..4 + random.below(14) {
            text.push(chars[random.zipf(chars.len())]);
        }
        text.push(['，', '。', '、', '！'][random.below(4)]);
    }
    text.push('\n');
}

fn emoji(_: &[String], random: &mut Random, text: &mut String) {
    for _ in 0..30 {
        text.extend(char::from_u32(0x1f300 + random.zipf(0x300) as u32));
        text.push_str(["", " ", "\u{fe0f}", "\u{200d}"][random.below(4)]);
    }
    text.push('\n');
}

fn digits(_: &[String], random: &mut Random, text: &mut String) {
    for _ in 0..40 {
        let number = random.below(1 << 30) >> random.below(28);
        text.push_str(&format!("{number}{}", [" ", ", ", ".", "\t", "-", ":"][random.below(6)]));
    }
    text.push('\n');
}
