/// Something to tell a person who looks elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What it is about, in a line.
    pub title: String,
    /// What else there is to say.
    pub body: String,
}
