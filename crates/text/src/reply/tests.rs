use super::*;

const HARMONY: &str = "{{ '<|start|>assistant<|channel|>final<|message|>' }}";
const QWEN: &str = "{{ '<think>' + reasoning + '</think>' }}";
const GEMMA: &str = "{{ '<|channel>thought' + text + '<channel|>' }}";

/// Parts of the same kind become one.
fn join(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Part::Reasoning(all)), Part::Reasoning(more))
            | (Some(Part::Text(all)), Part::Text(more))
            | (Some(Part::Arguments(all)), Part::Arguments(more)) => all.push_str(&more),
            (_, part) => joined.push(part),
        }
    }
    joined
}

/// Read in one go, and in pieces of every length: always the same.
#[track_caller]
fn read(template: &str, prompt: &str, text: &str) -> Vec<Part> {
    let in_pieces = |len: usize| {
        let mut reader = Reader::new(template, prompt);
        let chars: Vec<char> = text.chars().collect();
        let pieces = chars.chunks(len).map(|piece| piece.iter().collect::<String>());
        let mut parts: Vec<Part> = pieces.flat_map(|piece| reader.push(&piece)).collect();
        parts.extend(reader.finish());
        join(parts)
    };
    let whole = in_pieces(text.chars().count().max(1));
    for len in 1..text.chars().count() {
        assert_eq!(in_pieces(len), whole, "pieces of {len}");
    }
    whole
}

fn reasoning(text: &str) -> Part {
    Part::Reasoning(text.to_owned())
}

fn answer(text: &str) -> Part {
    Part::Text(text.to_owned())
}

#[test]
fn tags_part_reasoning_and_answer() {
    let said = read(QWEN, "user", "<think>\nTwo and\n two.\n\n</think>\n\nFour.\n");
    assert_eq!(said, [reasoning("Two and\n two."), answer("Four.\n")]);
    let said = read(GEMMA, "<|turn>model\n", "<|channel>thought\nHm.\n<channel|>Yes");
    assert_eq!(said, [reasoning("Hm."), answer("Yes")]);
}

#[test]
fn the_prompt_may_have_begun_the_reasoning() {
    let begun = "<|im_start|>assistant\n<think>\n";
    assert_eq!(read(QWEN, begun, "Hm.\n</think>\n\nYes"), [reasoning("Hm."), answer("Yes")]);
    let ended = "<|im_start|>assistant\n<think>\n\n</think>\n\n";
    assert_eq!(read(QWEN, ended, "Yes </think> no"), [answer("Yes </think> no")]);
    // Cut off while it thinks.
    assert_eq!(read(QWEN, begun, "Hm, well\n"), [reasoning("Hm, well")]);
}

#[test]
fn an_answer_without_reasoning_is_left_as_it_is() {
    assert_eq!(read(QWEN, "", "\n 1 < 2, and <thing>"), [answer("\n 1 < 2, and <thing>")]);
    assert_eq!(read(QWEN, "", "Say <think>."), [answer("Say <think>.")]);
    assert_eq!(read("", "", "<think> is a tag"), [answer("<think> is a tag")]);
    assert_eq!(read(QWEN, "", ""), []);
    assert_eq!(read(QWEN, "", "<think>\n\n</think>\n\nYes"), [answer("Yes")]);
}

#[test]
fn channels_of_harmony() {
    let said = "<|channel|>analysis<|message|>Think. <|end|><|start|>assistant<|channel|>final\
                <|message|>Four<|return|>";
    assert_eq!(read(HARMONY, "<|start|>assistant", said), [reasoning("Think."), answer("Four")]);
    // The end of a reply is no text, so it may be missing.
    let said = "<|channel|>final<|message|>Fo";
    assert_eq!(read(HARMONY, "", said), [answer("Fo")]);
}

#[test]
fn calls_of_harmony() {
    let said = "<|channel|>analysis<|message|>I look.<|end|><|start|>assistant<|channel|>commentary\
                <|message|>One moment.<|end|><|start|>assistant<|channel|>commentary \
                to=functions.get_weather <|constrain|>json<|message|>{\"city\":\"Bonn\"}<|call|>";
    let call = Part::Call("get_weather".to_owned());
    let arguments = Part::Arguments("{\"city\":\"Bonn\"}".to_owned());
    let want = [reasoning("I look."), answer("One moment."), call.clone(), arguments.clone()];
    assert_eq!(read(HARMONY, "", said), want);
    // The tool may be named before the channel.
    let said = " to=functions.get_weather<|channel|>commentary json<|message|>{\"city\":\"Bonn\"}";
    assert_eq!(read(HARMONY, "", said), [call, arguments]);
}

#[test]
fn harmony_without_any_form_is_an_answer() {
    assert_eq!(read(HARMONY, "", "Hello"), [answer("Hello")]);
    let long = "word ".repeat(100);
    assert_eq!(read(HARMONY, "", &long), [answer(&long)]);
}
