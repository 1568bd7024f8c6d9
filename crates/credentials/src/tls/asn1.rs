//! An iterator over DER elements.
//!
//! It does not recurse, so no nesting is too deep, and it copies nothing, so a declared length costs no memory. The callers
//! interpret the elements.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]`, holding an element or several.
pub(super) const CONTEXT_0: u8 = 0xA0;
/// `[0]` in place of an octet string's own tag.
pub(super) const CONTEXT_0_PRIMITIVE: u8 = 0x80;

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    /// The content.
    pub(super) content: &'a [u8],
    /// With its tag and length.
    pub(super) whole: &'a [u8],
}

/// The elements that have not been taken yet.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a>(&'a [u8]);

impl<'a> Walk<'a> {
    /// Along the elements of `bytes`.
    pub(super) fn along(bytes: &'a [u8]) -> Walk<'a> {
        Walk(bytes)
    }

    /// Inside the sequence that `bytes` begin with.
    pub(super) fn inside(bytes: &'a [u8]) -> Option<Walk<'a>> {
        Walk(bytes).enter(SEQUENCE)
    }

    /// The next element; none at the end, and none where the bytes are no DER.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of several bytes stand in nothing that is read here.
        if tag & 0x1F == 0x1F {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Element { tag, content, whole })
    }

    /// The content of the next element, if that has the tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element.content)
    }

    /// A walk inside the next element, if that has the tag.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Walk<'a>> {
        self.take(tag).map(Walk)
    }

    /// A whole number that is neither negative nor beyond 64 bits.
    pub(super) fn number(&mut self) -> Option<u64> {
        let bytes = self.take(INTEGER)?;
        let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        if bytes.len() > 8 || (bytes.len() == 8 && bytes[0] >= 0x80) {
            return None;
        }
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// X.690 section 8.1.3; the indefinite form is not DER.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7F);
    if count == 0 || count > 4 {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
    Some((usize::try_from(length).ok()?, rest))
}
