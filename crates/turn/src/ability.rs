//! What a model can do, as far as its tokens and its template show it.

/// What can be asked of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// It knows conversations.
    pub converses: bool,
    /// Its template shows tools, and its calls are told from its answers.
    pub calls: bool,
    /// It fills a gap between two texts.
    pub fills_gaps: bool,
    /// It may think before it answers.
    pub thinking: Option<Thinking>,
}

/// How a model is told whether to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thinking {
    /// The variable of its template that is true or false; without one it thinks as it likes.
    pub switch: Option<&'static str>,
    /// Whether its template reads `reasoning_effort`.
    pub has_levels: bool,
}
