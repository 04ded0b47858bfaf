//! The heads of statements: what stands behind `for`, `set`, `macro` and the like.

use super::Fault;
use super::expression::Parser;
use super::operand::quoted;
use super::statements::Block;

/// A rewritten tag, and the block it opens.
pub(super) struct Begun {
    pub(super) block: Option<Block>,
    pub(super) text: String,
    /// For `Block::SetAttribute`, the statement that finally assigns.
    pub(super) assignment: String,
}

impl Begun {
    pub(super) fn new(block: Block, text: String) -> Begun {
        Begun { block: Some(block), text, assignment: String::new() }
    }

    pub(super) fn plain(text: String) -> Begun {
        Begun { block: None, text, assignment: String::new() }
    }
}

/// One or more names to assign to, some perhaps in parentheses; and how many they are.
fn targets(parser: &mut Parser<'_>) -> Result<(String, usize), Fault> {
    let mut targets = Vec::new();
    let mut inner_count = 1;
    loop {
        if parser.skip_operator("(") {
            // One level is all that `for a, (b, c) in …` needs.
            let mut inner = vec![parser.name()?];
            while parser.skip_operator(",") {
                inner.push(parser.name()?);
            }
            parser.expect(")")?;
            inner_count = inner.len();
            targets.push(inner);
        } else {
            targets.push(vec![parser.name()?]);
        }
        if !parser.skip_operator(",") {
            break;
        }
    }
    // Parentheses around all names are none at all.
    if let [names] = targets.as_slice() {
        return Ok((names.join(", "), inner_count));
    }
    let texts = targets.iter().map(|names| match names.as_slice() {
        [name] => name.clone(),
        names => format!("({})", names.join(", ")),
    });
    Ok((texts.collect::<Vec<_>>().join(", "), targets.len()))
}

pub(super) fn for_loop(parser: &mut Parser<'_>) -> Result<String, Fault> {
    let (names, count) = targets(parser)?;
    if !parser.skip_word("in") {
        return Err(parser.fault("expected 'in'"));
    }
    let over = parser.expressions(false)?;
    let over = match names.contains(',') {
        true => format!("py__iterate({over}, {count})"),
        false => format!("py__iterate({over})"),
    };
    let mut text = format!("for {names} in {over}");
    if parser.skip_word("if") {
        text += &format!(" if {}", parser.expression()?);
    }
    if parser.skip_word("recursive") {
        text += " recursive";
    }
    Ok(text)
}

pub(super) fn set(parser: &mut Parser<'_>) -> Result<Begun, Fault> {
    let (names, count) = targets(parser)?;
    let attribute = if parser.skip_operator(".") { Some(parser.name()?) } else { None };
    if parser.skip_operator("=") {
        let value = parser.expressions(true)?;
        return Ok(Begun::plain(match attribute {
            Some(name) => format!("do py__assign({names}, {}, {value})", quoted(&name)),
            None if names.contains(',') => format!("set {names} = py__unpack({value}, {count})"),
            None => format!("set {names} = {value}"),
        }));
    }
    let mut filters = String::new();
    while parser.is_operator("|") {
        filters += &format!(" | {}", parser.filter()?);
    }
    Ok(match attribute {
        None => Begun::new(Block::Set, format!("set {names}{filters}")),
        Some(name) => Begun {
            block: Some(Block::SetAttribute),
            text: format!("set py__block{filters}"),
            assignment: format!("do py__assign({names}, {}, py__block)", quoted(&name)),
        },
    })
}

/// `(a, b=default)`.
fn parameters(parser: &mut Parser<'_>) -> Result<String, Fault> {
    parser.expect("(")?;
    let mut parameters = Vec::new();
    while !parser.skip_operator(")") {
        if !parameters.is_empty() {
            parser.expect(",")?;
        }
        let name = parser.name()?;
        parameters.push(match parser.skip_operator("=") {
            true => format!("{name}={}", parser.expression()?),
            false => name,
        });
    }
    Ok(format!("({})", parameters.join(", ")))
}

pub(super) fn macro_head(parser: &mut Parser<'_>) -> Result<Begun, Fault> {
    let name = parser.name()?;
    Ok(Begun::new(Block::Macro, format!("macro {name}{}", parameters(parser)?)))
}

pub(super) fn call_head(parser: &mut Parser<'_>) -> Result<Begun, Fault> {
    let parameters = if parser.is_operator("(") { parameters(parser)? } else { String::new() };
    Ok(Begun::new(Block::Call, format!("call{parameters} {}", parser.expression()?)))
}

pub(super) fn filter_head(parser: &mut Parser<'_>) -> Result<Begun, Fault> {
    let mut text = format!("filter {}", parser.filter_name()?);
    while parser.is_operator("|") {
        text += &format!("|{}", parser.filter()?);
    }
    Ok(Begun::new(Block::Filter, text))
}

pub(super) fn with_head(parser: &mut Parser<'_>) -> Result<String, Fault> {
    let mut assignments = Vec::new();
    while !parser.is_at_end() {
        if !assignments.is_empty() {
            parser.expect(",")?;
        }
        let name = parser.name()?;
        parser.expect("=")?;
        assignments.push(format!("{name} = {}", parser.expression()?));
    }
    Ok(format!("with {}", assignments.join(", ")))
}
