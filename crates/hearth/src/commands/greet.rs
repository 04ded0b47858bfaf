//! `hearth` alone: what this machine has, and what to type next.

use std::io::{Write, stdout};

use engine::Settings;

use crate::failure::Failure;
use crate::{kindling, memory, output};

pub fn greet() -> Result<(), Failure> {
    let Settings { isa, threads, .. } = Settings::default();
    let memory = match memory::available() {
        Some(bytes) => format!(", {} of memory free", output::size(bytes)),
        None => String::new(),
    };
    let mut out = stdout();
    writeln!(out, "hearth {} runs AI models on this machine.\n", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  This machine   {threads} threads, {}{memory}", isa.name())?;
    let families: Vec<&str> = arch::FAMILIES.iter().map(|family| family.name).collect();
    for (i, some) in families.chunks(7).enumerate() {
        let head = if i == 0 { "Families" } else { "" };
        writeln!(out, "  {head:<14} {}", some.join(", "))?;
    }
    writeln!(out, "  Files          GGUF, or a Hugging Face folder with safetensors")?;
    let size = output::size(kindling::bytes().len() as u64);
    writeln!(out, "  Inside         kindling, a small model ({size}): no chatbot; it answers")?;
    writeln!(out, "                 from texts, fills in fields, chooses labels and tools\n")?;
    writeln!(out, "What next:")?;
    writeln!(out, "  hearth demo                   what kindling does; it needs no file")?;
    writeln!(out, "  hearth ask FILE \"a question\"  an answer quoted from documents")?;
    writeln!(
        out,
        "  hearth pull qwen3:4b          a model comes here; `hearth list --all` shows more"
    )?;
    writeln!(out, "  hearth run MODEL \"question\"   one answer, of a name or a file")?;
    writeln!(out, "  hearth run MODEL              a chat")?;
    writeln!(
        out,
        "  hearth serve MODEL            answers over HTTP, for the clients that you have"
    )?;
    writeln!(out, "  hearth show MODEL             what is in it, and the memory that it takes")?;
    writeln!(out, "  hearth bench MODEL            how fast it is here")?;
    writeln!(out, "  hearth help                   everything else")?;
    Ok(())
}
