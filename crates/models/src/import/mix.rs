//! Which tensor is stored in how many bits.
//!
//! The same choices as llama.cpp makes without an importance matrix, so that a name means the same
//! file everywhere: the head has more bits, and in a mix so have the values of attention and the
//! second matrix of the feed-forward layer, where errors weigh most.

use std::collections::BTreeSet;

use formats::Storage;

use super::Quant;

/// Tensors with this in their names multiply everything, or are too small to be worth it.
const KEPT: [&str; 9] = [
    "_norm.weight",
    "ffn_gate_inp",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv",
    "attn_rel_b",
    "position_embd",
];

/// What makes the values of attention, alone or with queries and keys.
const VALUES: [&str; 2] = ["attn_v.weight", "attn_qkv.weight"];

/// Layers of the model of which it is known that eight heads share their values.
const LAYERS_OF_70B: usize = 80;

/// What the choice for one tensor depends on.
pub(super) struct Mix {
    quant: Quant,
    layers: usize,
    /// Layers with values of attention.
    values: Vec<usize>,
    /// Heads that share them.
    sharing: usize,
    /// Whether a layer has eight experts.
    eight_experts: bool,
    /// Whether the embedding is the head as well.
    tied: bool,
}

/// The layer that a tensor belongs to, and what it is called there.
pub fn layer_and_kind(name: &str) -> (Option<usize>, &str) {
    let split = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.'));
    match split.and_then(|(layer, rest)| Some((layer.parse().ok()?, rest))) {
        Some((layer, rest)) => (Some(layer), rest),
        None => (None, name),
    }
}

impl Mix {
    /// For a model with these tensors, given by names and shapes.
    pub fn of<'a>(
        quant: Quant,
        tensors: &(impl Iterator<Item = (&'a str, &'a [usize])> + Clone),
    ) -> Mix {
        let shape_of = |wanted: &str| {
            let mut found = tensors.clone().filter(|(name, _)| layer_and_kind(name).1 == wanted);
            found.next().map(|(_, shape)| shape)
        };
        let first = |shape: Option<&[usize]>| shape.and_then(|shape| shape.first().copied());
        let last = |shape: Option<&[usize]>| shape.and_then(|shape| shape.last().copied());
        let all = last(shape_of("attn_output.weight")).unwrap_or(1);
        let sharing = all / first(shape_of("attn_v.weight")).unwrap_or(all).max(1);
        let layers = tensors.clone().filter_map(|(name, _)| layer_and_kind(name).0).max();
        let values =
            |name: &&str| ["attn_v.weight", "attn_qkv.weight"].contains(&layer_and_kind(name).1);
        let values = tensors.clone().map(|(name, _)| name).filter(values);
        let values: BTreeSet<usize> = values.filter_map(|name| layer_and_kind(name).0).collect();
        Mix {
            quant,
            layers: layers.map_or(0, |last| last + 1),
            values: values.into_iter().collect(),
            sharing,
            eight_experts: first(shape_of("ffn_down_exps.weight")) == Some(8),
            tied: shape_of("output.weight").is_none(),
        }
    }

    /// How a tensor is stored; nothing where it is no matrix to be quantised.
    pub fn storage(&self, name: &str, shape: &[usize]) -> Option<Storage> {
        // A single row is no matrix.
        let dimensions = shape.iter().skip_while(|dimension| **dimension == 1).count();
        let kept = KEPT.iter().any(|kept| name.contains(kept));
        if dimensions < 2 || kept || !name.ends_with("weight") {
            return None;
        }
        let (wanted, width) = (self.quant.storage(), shape[shape.len() - 1]);
        let chosen = match wanted {
            Storage::F32 | Storage::F16 | Storage::BF16 => return Some(wanted),
            Storage::Q8_0 => Storage::Q8_0,
            _ if self.is_head(name) => match width.is_multiple_of(wanted.block().0) {
                true => Storage::Q6_K,
                false => Storage::Q8_0,
            },
            _ => self.in_layer(name).unwrap_or(wanted),
        };
        Some(whole_blocks(chosen, width))
    }

    /// Whether it is the head, or counts as one: all embeddings do where one of them is.
    fn is_head(&self, name: &str) -> bool {
        name == "output.weight" || self.tied && name.ends_with("token_embd.weight")
    }

    /// Where it differs from most.
    fn in_layer(&self, name: &str) -> Option<Storage> {
        let (Some(layer), name) = layer_and_kind(name) else { return None };
        match name {
            _ if VALUES.contains(&name) => self.of_values(layer),
            "attn_k.weight" if self.eight_experts => Some(Storage::Q8_0),
            "attn_output.weight" => self.of_attention(),
            _ if name.starts_with("ffn_down") => self.of_down(layer),
            _ => None,
        }
    }

    fn of_values(&self, layer: usize) -> Option<Storage> {
        let (index, of) = (self.values.partition_point(|other| *other < layer), self.values.len());
        let shared = self.sharing >= 4;
        let chosen = match self.quant {
            Quant::Q2_K => Some(if shared { Storage::Q4_K } else { Storage::Q3_K }),
            Quant::Q3_K_M => Some(if index < 2 { Storage::Q5_K } else { Storage::Q4_K }),
            Quant::Q3_K_L => Some(Storage::Q5_K),
            Quant::IQ4_NL if shared => Some(Storage::Q5_K),
            Quant::Q4_K_M | Quant::Q5_K_M if weighs_more(index, of) => Some(Storage::Q6_K),
            Quant::Q4_K_S if index < 4 => Some(Storage::Q5_K),
            _ => None,
        };
        if self.eight_experts {
            return Some(Storage::Q8_0);
        }
        let small = matches!(chosen.unwrap_or(self.quant.storage()), Storage::Q3_K | Storage::Q4_K);
        let large = self.layers == LAYERS_OF_70B && self.sharing > 1;
        if small && large { Some(Storage::Q5_K) } else { chosen }
    }

    fn of_attention(&self) -> Option<Storage> {
        if self.eight_experts {
            let small = !matches!(self.quant.storage(), Storage::Q5_K | Storage::Q6_K);
            let legacy = matches!(
                self.quant,
                Quant::Q4_0 | Quant::Q4_1 | Quant::Q5_0 | Quant::Q5_1 | Quant::Q3_K_L
            );
            return (small && !legacy).then_some(Storage::Q5_K);
        }
        match self.quant {
            Quant::Q2_K => Some(Storage::Q3_K),
            Quant::Q3_K_M => Some(Storage::Q4_K),
            Quant::Q3_K_L => Some(Storage::Q5_K),
            _ => None,
        }
    }

    fn of_down(&self, layer: usize) -> Option<Storage> {
        let early = |part: usize| layer < self.layers / part;
        match self.quant {
            Quant::Q2_K => Some(Storage::Q3_K),
            Quant::Q3_K_M => Some(if early(16) { Storage::Q5_K } else { Storage::Q4_K }),
            Quant::Q3_K_L => Some(Storage::Q5_K),
            Quant::Q4_K_M | Quant::Q5_K_M if weighs_more(layer, self.layers) => Some(Storage::Q6_K),
            Quant::Q4_K_S | Quant::IQ4_NL if early(8) => Some(Storage::Q5_K),
            _ => None,
        }
    }
}

/// The first eighth, the last, and each third between.
fn weighs_more(index: usize, of: usize) -> bool {
    let eighth = of / 8;
    index < eighth || index >= 7 * of / 8 || (index - eighth) % 3 == 2
}

/// The same or the nearest larger storage of which rows of this width are whole blocks.
fn whole_blocks(storage: Storage, width: usize) -> Storage {
    let fits = |storage: Storage| width.is_multiple_of(storage.block().0);
    if fits(storage) {
        return storage;
    }
    let smaller = match storage {
        Storage::Q2_K | Storage::Q3_K => Storage::Q4_0,
        Storage::Q4_K => Storage::Q5_0,
        Storage::Q5_K => Storage::Q5_1,
        Storage::Q6_K => Storage::Q8_0,
        _ => Storage::F16,
    };
    if fits(smaller) { smaller } else { Storage::F16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dense model of so many layers with matrices of this width.
    fn dense(layers: usize, width: usize) -> Vec<(String, [usize; 2])> {
        let mut tensors = vec![("token_embd.weight".to_owned(), [320, width])];
        for layer in 0..layers {
            for (kind, rows) in
                [("attn_q", 256), ("attn_v", 128), ("attn_output", 9), ("ffn_down", 9)]
            {
                tensors.push((format!("blk.{layer}.{kind}.weight"), [rows, width]));
            }
        }
        tensors
    }

    /// How a tensor is stored among these.
    fn stored(tensors: &[(String, [usize; 2])], quant: Quant, name: &str) -> Storage {
        let all = tensors.iter().map(|(name, shape)| (&**name, &shape[..]));
        let shape = &tensors.iter().find(|(known, _)| known == name).unwrap().1;
        Mix::of(quant, &all).storage(name, shape).unwrap()
    }

    #[test]
    fn a_mix_gives_more_bits_where_errors_weigh_most() {
        let tensors = dense(32, 512);
        let six: Vec<usize> = (0..32)
            .filter(|layer| {
                let name = format!("blk.{layer}.attn_v.weight");
                stored(&tensors, Quant::Q4_K_M, &name) == Storage::Q6_K
            })
            .collect();
        assert_eq!(six, [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]);
        for (quant, name, storage) in [
            (Quant::Q4_K_M, "blk.5.attn_v.weight", Storage::Q4_K),
            (Quant::Q4_K_M, "blk.5.attn_output.weight", Storage::Q4_K),
            (Quant::Q4_K_M, "blk.31.ffn_down.weight", Storage::Q6_K),
            (Quant::Q4_K_S, "blk.3.ffn_down.weight", Storage::Q5_K),
            (Quant::Q4_K_S, "blk.4.ffn_down.weight", Storage::Q4_K),
            (Quant::Q5_K_M, "blk.0.attn_v.weight", Storage::Q6_K),
            (Quant::Q4_0, "token_embd.weight", Storage::Q6_K),
            (Quant::Q8_0, "token_embd.weight", Storage::Q8_0),
            (Quant::Q3_K_M, "blk.2.ffn_down.weight", Storage::Q4_K),
            (Quant::BF16, "blk.0.attn_q.weight", Storage::BF16),
        ] {
            assert_eq!(stored(&tensors, quant, name), storage, "{quant:?} {name}");
        }
    }

    #[test]
    fn rows_that_are_no_whole_blocks_have_another_storage() {
        for (width, quant, storage) in [
            (96, Quant::Q4_K_M, Storage::Q5_0),
            (96, Quant::Q5_K_S, Storage::Q5_1),
            (96, Quant::Q6_K, Storage::Q8_0),
            (96, Quant::Q2_K, Storage::Q4_0),
            (96, Quant::Q4_0, Storage::Q4_0),
            (40, Quant::Q4_K_M, Storage::F16),
            (40, Quant::Q8_0, Storage::F16),
            (40, Quant::F32, Storage::F32),
        ] {
            let found = stored(&dense(8, width), quant, "blk.1.attn_q.weight");
            assert_eq!(found, storage, "{width} {quant:?}");
        }
        let head = stored(&dense(8, 96), Quant::Q4_K_M, "token_embd.weight");
        assert_eq!(head, Storage::Q8_0);
    }

    #[test]
    fn what_is_no_matrix_is_not_chosen_for() {
        let mix = Mix::of(Quant::Q4_K_M, &[].into_iter());
        for (name, shape) in [
            ("blk.0.attn_norm.weight", &[64][..]),
            ("blk.0.ffn_gate_inp.weight", &[8, 256]),
            ("blk.0.ffn_gate_inp_shexp.weight", &[1, 256]),
            ("blk.0.ssm_conv1d.weight", &[64, 4]),
            ("blk.0.ffn_gate_exps.bias", &[8, 256]),
            ("blk.0.any.weight", &[1, 256]),
        ] {
            assert_eq!(mix.storage(name, shape), None, "{name}");
        }
    }
}
