//! Chunks of a device's log.

use serde_json::Value;
use wilco_ledger::DeviceId;

use super::{damaged, text_of};
use crate::{
    DecodedMessage, Inbound, Unreadable, ids,
    json::{Members, whole},
    log::{Checksum, LogChunk},
};

/// `None` for what does not even look like a piece: much firmware publishes there each line that it logs.
pub(super) fn chunk(device: &DeviceId, inbound: &Inbound<'_>) -> Result<Option<DecodedMessage>, Unreadable> {
    let chunk = read(inbound).map_err(|why| {
        let id = damaged::Readable::of(inbound).id();
        Unreadable { device: Some(device.clone()), why: format!("This log chunk is unreadable: {why}."), id }
    })?;
    Ok(chunk.map(|chunk| DecodedMessage::Log { device: device.clone(), chunk }))
}

fn read(inbound: &Inbound<'_>) -> Result<Option<LogChunk>, String> {
    let first = inbound.payload.iter().find(|byte| byte.is_ascii_graphic());
    if first.is_none_or(|first| *first != b'{') {
        return Ok(None);
    }
    let text = text_of(inbound.payload)?;
    let members = Members::parse(text).map_err(|error| format!("it is not valid JSON ({error})"))?;
    let Some(number) = count(&members, "chunk")? else { return Ok(None) };
    let id = ids::from_member(members.text("id"))?.or_else(|| ids::from_correlation(inbound.correlation));
    let id = id.ok_or("it has no ID, so its command is unknown")?;
    let of = count(&members, "of")?;
    if let Some(of) = of.filter(|of| number > *of) {
        return Err(format!("it claims to be chunk {number} of {of}"));
    }
    let text = match members.get("text") {
        Some(Value::String(text)) => text,
        Some(_) => return Err("its text is not a string".to_owned()),
        None => return Err("it has no text".to_owned()),
    };
    Ok(Some(LogChunk {
        id,
        number,
        of,
        offset: members.get("offset").as_ref().and_then(whole).and_then(|offset| u64::try_from(offset).ok()),
        text,
        sha256: members.get("sha256").as_ref().and_then(Value::as_str).and_then(Checksum::read),
    }))
}

/// A number from 1; `Err` is the problem.
fn count(members: &Members, name: &str) -> Result<Option<u32>, String> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let number = whole(&value).and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    number.map(Some).ok_or_else(|| format!("its {name:?} is not a whole number from 1"))
}
