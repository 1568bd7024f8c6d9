//! The harness of the end-to-end tests: a real broker, real devices, a session bus with a real keyring, a virtual
//! display, the app's real window, and a broker and proxies that fail on demand.
//!
//! It knows no crate of Wilco: the app, the command line and the device are started as programs and observed from
//! outside. Every started program ends with its value, also when the test is killed.

mod axe;
mod broker;
mod cards;
mod certificate_files;
mod certificates;
mod child;
mod console;
mod desk;
mod device;
mod display;
mod fleet;
mod focus;
mod net;
mod notifications;
pub mod packets;
mod picture;
mod programs;
mod proxy;
mod publisher;
mod replay;
mod scripted;
mod session;
mod shelly;
mod wait;
mod window;
mod wizard;

pub use broker::{Broker, Settings};
pub use certificate_files::{CertificateFiles, Wrapping};
pub use certificates::{Certificates, Identity, openssl};
pub use child::Child;
pub use console::{Connection, Console, Ended};
pub use desk::Desk;
pub use device::Device;
pub use display::Display;
pub use fleet::Fleet;
pub use notifications::{Notification, Notifications};
pub use picture::{Area, Picture};
pub use programs::{program, target};
pub use proxy::{Proxy, ProxyAtWork, Refusal};
pub use publisher::Publisher;
pub use replay::Replay;
pub use scripted::{Misbehaviour, Scripted, ScriptedBroker, Seen, Tls};
pub use session::{Keyring, Session};
pub use shelly::Shelly;
pub use wait::{soon, soon_async};
pub use window::{Window, WindowSettings, keys};
pub use wizard::Tried;
