//! DeepSeek V3, R1 and V3.2: latent attention, experts chosen by groups beside shared ones; V3.2
//! with an indexer that lets rows attend to some positions only.

use kernels::portable::rope::Pairing;

use crate::hyper::Hyper;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::experts::{self, Groups, Score};
use crate::parts::feed_forward::Kind;
use crate::parts::{indexer, latent, mixer, mlp};
use crate::rope::Rope;
use crate::source::{Name, Source, name};
use crate::weight::Bias;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "deepseek-v3",
    gguf: &["deepseek2"],
    hugging_face: &["DeepseekV3ForCausalLM"],
    follows: &["expert_count", "rope.scaling.yarn_log_multiplier"],
    unstated: &[
        ("n_group", 8.0),
        ("topk_group", 4.0),
        ("routed_scaling_factor", 2.5),
        ("first_k_dense_replace", 3.0),
        ("n_shared_experts", 1.0),
    ],
    load,
};

pub(crate) const SPARSE: Family = Family {
    name: "deepseek-v3.2",
    gguf: &["deepseek32"],
    hugging_face: &["DeepseekV32ForCausalLM"],
    load: load_sparse,
    ..FAMILY
};

const QUERY_RANK: Name = name("attention.q_lora_rank", "q_lora_rank");
const RANK: Name = name("attention.kv_lora_rank", "kv_lora_rank");
const ROTATED: Name = name("rope.dimension_count", "qk_rope_head_dim");
const HEAD: Name = name("attention.key_length_mla", "");
const PLAIN: Name = name("", "qk_nope_head_dim");
const VALUE: Name = name("attention.value_length_mla", "v_head_dim");
const GROUPS: Name = name("expert_group_count", "n_group");
const KEPT_GROUPS: Name = name("expert_group_used_count", "topk_group");
const SCALE: Name = name("expert_weights_scale", "routed_scaling_factor");
const SHARED: Name = name("expert_shared_count", "n_shared_experts");
const DENSE: Name = name("leading_dense_block_count", "first_k_dense_replace");
const INDEX_HEADS: Name = name("attention.indexer.head_count", "index_n_heads");
const INDEX_DIM: Name = name("attention.indexer.key_length", "index_head_dim");
const INDEX_MOST: Name = name("attention.indexer.top_k", "index_topk");

/// How GGUF files call a router of sigmoids.
const SIGMOID: u64 = 2;

const SHARED_NAMES: [Name; 3] = [
    name("ffn_gate_shexp", "mlp.shared_experts.gate_proj"),
    name("ffn_up_shexp", "mlp.shared_experts.up_proj"),
    name("ffn_down_shexp", "mlp.shared_experts.down_proj"),
];

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let recipe = |source: &Source, hyper: &Hyper| recipe(source, hyper, None);
    load_by(source, &recipe)
}

fn load_sparse(source: &Source) -> Result<Box<dyn Model>, Error> {
    let indexer = indexer::Options {
        heads: source.size(INDEX_HEADS)?,
        dim: source.size(INDEX_DIM)?,
        most: source.size(INDEX_MOST)?,
        query_rank: source.size(QUERY_RANK)?,
    };
    if indexer.dim < source.size(ROTATED)? {
        let why = format!("is {}, less than is rotated", indexer.dim);
        return Err(source.bad(INDEX_DIM, why));
    }
    load_by(source, &|source, hyper| {
        Ok(Recipe { family: SPARSE.name, ..recipe(source, hyper, Some(indexer))? })
    })
}

fn load_by(
    source: &Source,
    recipe: &dyn Fn(&Source, &Hyper) -> Result<Recipe, Error>,
) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read_but_heads(source)?;
    let recipe = recipe(source, &hyper)?;
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

fn recipe(
    source: &Source,
    hyper: &Hyper,
    indexer: Option<indexer::Options>,
) -> Result<Recipe, Error> {
    let rotated = source.size(ROTATED)?;
    let side_by_side = source.flag("rope_interleave", true)?;
    let pairing = if side_by_side { Pairing::Neighbours } else { Pairing::Halves };
    let rope = Rope::read(source, rotated, pairing)?;
    let plain = match source.is_gguf() {
        true => source.size(HEAD)?.checked_sub(rotated).filter(|plain| *plain > 0),
        false => Some(source.size(PLAIN)?),
    };
    let plain = plain.ok_or_else(|| source.bad(HEAD, format!("is not above {rotated}")))?;
    let latent = latent::Options {
        heads: hyper.heads,
        query_rank: source.size_if(QUERY_RANK)?,
        rank: source.size(RANK)?,
        rotated,
        plain,
        value: source.size(VALUE)?,
        scale: rope.score_growth / ((rotated + plain) as f32).sqrt(),
        bias: Bias::by_flag(source, "attention_bias")?,
        indexer,
    };
    latent.check(source, RANK)?;
    Ok(Recipe {
        mixers: vec![mixer::Kind::Latent(latent); hyper.layers],
        feed_forward: feed_forward(source, hyper)?,
        ..Recipe::plain(FAMILY.name, hyper.layers, rope)
    })
}

/// The first layers are plain, or those that a folder lists.
fn feed_forward(source: &Source, hyper: &Hyper) -> Result<Vec<Kind>, Error> {
    let experts = Kind::Experts(experts(source)?);
    let plain = Kind::Gated(mlp::Options::PLAIN);
    let dense = source.count_if(DENSE)?.unwrap_or(0);
    let listed = source.listed("mlp_layer_types", hyper.layers, ("dense", "sparse"))?;
    let is_plain = listed.unwrap_or_else(|| (0..hyper.layers).map(|layer| layer < dense).collect());
    let kind = |is_plain| if is_plain { plain } else { experts };
    Ok(is_plain.into_iter().map(kind).collect())
}

fn experts(source: &Source) -> Result<experts::Options, Error> {
    source.expect_setting("scoring_func", "sigmoid")?;
    source.expect_setting("topk_method", "noaux_tc")?;
    for (name, known) in [("expert_gating_func", SIGMOID), ("moe_layer_freq", 1)] {
        let name = Name { gguf: name, hugging_face: name };
        if let Some(found) = source.count_if(name)?.filter(|found| *found as u64 != known) {
            let why = format!("is {found}; this family is known with {known} only");
            return Err(source.bad(name, why));
        }
    }
    let renormalised = match source.gguf() {
        Some(gguf) => gguf.bool(&source.key(name("expert_weights_norm", "")))?.unwrap_or(false),
        None => source.flag("norm_topk_prob", true)?,
    };
    let width = source.size(experts::WIDTH)?;
    let shared = source.count_if(SHARED)?.unwrap_or(0);
    let options = experts::Options::read(
        source,
        width,
        Score::Grouped(Groups {
            count: source.size_or(GROUPS, 1)?,
            open: source.size_or(KEPT_GROUPS, 1)?,
            renormalised,
            scale: source.number(SCALE)?.unwrap_or(1.0),
        }),
    )?;
    options.check_groups(source, GROUPS)?;
    Ok(experts::Options {
        bias: Some(name("exp_probs_b.bias", "mlp.gate.e_score_correction_bias")),
        shared: (shared > 0).then_some(mlp::Options {
            names: SHARED_NAMES,
            width: Some(shared * width),
            ..mlp::Options::PLAIN
        }),
        ..options
    })
}
