//! Reads and validates user input.

mod arguments;
mod confirm;
mod device_list;
mod hours;
mod secret;
mod time;

pub(crate) use arguments::arguments;
pub(crate) use confirm::{asks, confirmation, confirmed, counted, yes};
pub(crate) use device_list::{devices, ids};
pub(crate) use hours::hours;
pub(crate) use secret::{TRIES, WRONG, new_passphrase, prompted, secret_line};
pub(crate) use time::{milliseconds, seconds, since, span};
