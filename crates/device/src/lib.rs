//! The reference device, the virtual fleet and the embedded demo broker.
//!
//! [`device`] is the part for firmware engineers to read and copy: how a device handles a request, without any I/O. The
//! README lists the rules for a device. All other modules connect it to a network, once or thousands of times.

pub mod absent;
pub mod broker;
mod clock;
pub mod config;
pub mod demo;
pub mod device;
pub mod device_settings;
pub mod dials;
pub mod endpoint;
pub mod faults;
pub mod fleet;
mod link;
pub mod logbook;
pub mod memory;
pub mod payload_format;
pub mod random;
mod session;
pub mod store;
pub mod telemetry;
mod timer_queue;
pub mod work;
