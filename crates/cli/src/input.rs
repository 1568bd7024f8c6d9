//! What people write, read into what it means.

mod arguments;
mod device_list;
mod password;
mod time;

pub(crate) use arguments::arguments;
pub(crate) use device_list::devices;
pub(crate) use password::password;
pub(crate) use time::{since, span};
