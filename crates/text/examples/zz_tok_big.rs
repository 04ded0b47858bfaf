//! temporary
use std::time::Instant;
use formats::gguf::*;
use text::tokenizer::*;
fn main() {
    let n = 1_000_000;
    let tokens: Vec<String> = (0..n).map(|i| format!("<|some added token number {i}|>")).collect();
    let types: ArrayBuf = (0..n).map(|_| 3i32).collect();
    let mut w = Writer::new();
    w.key("tokenizer.ggml.model", Value::Str("gpt2")).unwrap();
    let s = ArrayBuf::strings(&tokens);
    w.key("tokenizer.ggml.tokens", s.value()).unwrap();
    w.key("tokenizer.ggml.token_type", types.value()).unwrap();
    let m = ArrayBuf::strings([""; 0]);
    w.key("tokenizer.ggml.merges", m.value()).unwrap();
    let b = w.begin(Vec::new()).unwrap().finish().unwrap();
    println!("{} bytes", b.len());
    let g = Gguf::from_bytes(b).unwrap();
    let t = Instant::now();
    let k = Tokenizer::from_gguf(&g).unwrap();
    println!("built {:?}", t.elapsed());
    let t = Instant::now();
    println!("{:?} {:?}", k.encode("<|some added token number 77|>x", Encode{markup:true,add_special:true}), t.elapsed());
    let st = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", st.lines().filter(|l| l.starts_with("VmHWM")).collect::<String>());
    for name in ["gemma-4", "llama-bpe", "qwen2", "llama-spm"] {
        let p = format!("target/golden/tokenizers/ggml-vocab-{name}.gguf");
        let t = Instant::now();
        let k = Tokenizer::from_gguf(&Gguf::open(p.as_ref()).unwrap()).unwrap();
        println!("{name} load {:?} {}", t.elapsed(), k.len());
        let text = "word ".repeat(200_000);
        let t = Instant::now();
        let n = k.encode(&text, Encode::default()).len();
        println!("  1 MB {n} {:?}", t.elapsed());
        let text = "a".repeat(1 << 20);
        let t = Instant::now();
        let n = k.encode(&text, Encode::default()).len();
        println!("  1 MB of a: {n} {:?}", t.elapsed());
        let text = " ".repeat(1 << 20) + "x";
        let t = Instant::now();
        let n = k.encode(&text, Encode::default()).len();
        println!("  1 MB of space: {n} {:?}", t.elapsed());
    }
}
