use text::template::*;
#[test]
fn zz() {
    let mut v: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/template")).unwrap().map(|e| e.unwrap().path()).collect();
    v.sort();
    let inputs = Inputs { messages: serde_json::json!([{"role":"system","content":"a"},{"role":"user","content":"b"}]), tools: None, documents: None, add_generation_prompt: true, variables: Default::default(), now: DateTime{year:2026,month:1,day:1,hour:1,minute:1,second:1}};
    for p in v {
        let d = String::from_utf8_lossy(&std::fs::read(&p).unwrap()).into_owned();
        let t = std::time::Instant::now();
        let r = Template::compile(&d).and_then(|t| t.render(&inputs));
        let s = match r { Ok(s) => format!("Ok {}: {}", s.len(), s.chars().take(60).collect::<String>()), Err(e) => format!("{e}") };
        println!("{:6.2} {} -> {}", t.elapsed().as_secs_f64(), p.file_name().unwrap().to_string_lossy(), s.chars().take(150).collect::<String>().replace('\n', "\\n"));
    }
}
