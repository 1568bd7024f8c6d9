//! The reference device, the virtual fleet and the embedded demo broker.
//!
//! [`device`] is the part that a firmware engineer reads and copies: what a device does with a request, without any
//! I/O; the README says what it owes its console. Everything else puts it on a network, in one copy or in thousands.

pub mod absent;
mod agenda;
pub mod broker;
mod clock;
pub mod config;
pub mod demo;
pub mod device;
pub mod dials;
pub mod endpoint;
pub mod faults;
pub mod fleet;
mod link;
pub mod logbook;
pub mod memory;
pub mod persona;
pub mod random;
mod session;
pub mod speech;
pub mod store;
pub mod telemetry;
pub mod work;
