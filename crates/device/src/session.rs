//! One device on the network: executes the actions of [`Device`] over one MQTT connection.
//!
//! It makes no decisions about commands. The faults, durations and offline times of virtual devices are caused here,
//! outside the device.

mod outgoing;

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use rumqttc_v5::{
    AsyncClient, ConnectionError, Event, EventLoop, Outgoing, Packet, Publish, PublishOptions, QoS, SubAck,
    SubscribeReasonCode,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::Level;
use uuid::Uuid;
use wilco_dialect::{Channel, device_side};
use wilco_ledger::{CommandId, Millis};

use crate::{
    clock,
    device::{Action, Device},
    device_settings::DeviceSettings,
    endpoint::Endpoint,
    faults::AnswerPlan,
    link,
    logbook::Logbook,
    memory::Memory,
    random::Random,
    store::{Store, StoreError},
    telemetry::Sensors,
    timer_queue::TimerQueue,
};
use outgoing::beginning;

/// A command that takes longer than this reports progress at this interval.
const HEARTBEAT: u64 = 1_000;
/// The factor for a slow command.
const SLOWNESS: u64 = 20;
/// How long a command runs at least before the device restarts during it.
const SHORTEST_WORK: Millis = Millis(50);
/// How long a device that starts offline is connected first, in milliseconds.
const GLIMPSE: u64 = 1_000;
const FIRST_PAUSE: u64 = 500;
const LONGEST_PAUSE: u64 = 30_000;
const FAREWELL: Duration = Duration::from_secs(2);

/// The state that the devices of a program share.
pub(crate) struct Surroundings {
    pub(crate) endpoint: Endpoint,
    /// How many devices may connect at the same time.
    pub(crate) gate: Semaphore,
    /// How many devices have been connected at least once.
    pub(crate) seen: watch::Sender<usize>,
}

pub(crate) struct Session {
    around: Arc<Surroundings>,
    device_settings: DeviceSettings,
    device: Device,
    store: Store,
    logbook: Logbook,
    /// The source of durations, and of the times when the device is online.
    random: Random,
    /// The source of faults. A separate random sequence, so that lost connections do not shift it.
    accidents: Random,
    sensors: Sensors,
    client: AsyncClient,
    timer_queue: TimerQueue<Due>,
    connected: bool,
    seen: bool,
    pause: u64,
}

/// The scheduled actions.
enum Due {
    Send(AnswerPlan),
    /// With the reason if it fails.
    Perform(CommandId, Option<&'static str>),
    Progress(CommandId, u8),
    Blinked(CommandId),
    Telemetry,
    Restart,
    Leave,
}

/// Why a connection ends.
enum SessionEnd {
    Lost(ConnectionError),
    Restart,
    Leave,
    Stopped,
}

impl Session {
    pub(crate) fn new(
        around: Arc<Surroundings>,
        device_settings: DeviceSettings,
        store: Store,
    ) -> Result<(Session, EventLoop), StoreError> {
        let memory = store.load()?;
        let (client, event_loop) = link::open(&around.endpoint, &device_settings);
        let (random, accidents) =
            (Random::new(device_settings.accidents, 1), Random::new(device_settings.accidents, 2));
        let logbook = Logbook::beside(&store);
        let logbook =
            if device_settings.has_past { logbook.with_past(device_settings.seed, clock::now()) } else { logbook };
        let device = switched_on(memory, &device_settings).with_led(device_settings.led);
        let mut session = Session {
            around,
            sensors: Sensors::new(device_settings.climate, device_settings.seed),
            device_settings,
            device,
            logbook,
            store,
            random,
            accidents,
            client,
            timer_queue: TimerQueue::new(),
            connected: false,
            seen: false,
            pause: FIRST_PAUSE,
        };
        session.note(Level::INFO, &session.greeting());
        session.plan();
        Ok((session, event_loop))
    }

    /// Runs until the device is stopped, then publishes its offline status.
    pub(crate) async fn run(mut self, mut event_loop: EventLoop, mut stop: watch::Receiver<bool>) {
        loop {
            let parting = self.serve(&mut event_loop, &mut stop).await;
            let was_connected = std::mem::replace(&mut self.connected, false);
            let mut starts_anew = false;
            let pause = match parting {
                SessionEnd::Stopped if was_connected => return self.say_good_bye(event_loop).await,
                SessionEnd::Stopped => return,
                SessionEnd::Lost(error) => {
                    self.note(Level::WARN, &format!("no connection to the broker: {error}"));
                    let jitter = self.random.within(&(0..=self.pause / 4));
                    let pause = self.pause + jitter;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    pause
                }
                SessionEnd::Restart => {
                    self.note(Level::INFO, "restarts");
                    // No DISCONNECT: the broker publishes the last will, as with a real restart.
                    event_loop.clean();
                    starts_anew = true;
                    self.random.within(&self.device_settings.pace.reboot)
                }
                SessionEnd::Leave => {
                    event_loop.clean();
                    self.leave()
                }
            };
            tokio::select! {
                () = sleep(Duration::from_millis(pause)) => {}
                () = stopped(&mut stop) => return,
            }
            if starts_anew {
                self.start_anew();
            }
        }
    }

    /// Connects, and handles messages and scheduled actions until the connection ends.
    async fn serve(&mut self, event_loop: &mut EventLoop, stop: &mut watch::Receiver<bool>) -> SessionEnd {
        let around = Arc::clone(&self.around);
        let mut turn = tokio::select! {
            turn = around.gate.acquire() => turn.ok(),
            () = stopped(stop) => return SessionEnd::Stopped,
        };
        loop {
            // Not dropped when something is due: it may be in the midst of connecting.
            let mut poll = pin!(event_loop.poll());
            let event = loop {
                let next = self.timer_queue.next().filter(|_| self.connected);
                tokio::select! {
                    event = &mut poll => break event,
                    () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                        if let Some(parting) = self.do_what_is_due() {
                            return parting;
                        }
                    }
                    () = stopped(stop) => return SessionEnd::Stopped,
                }
            };
            match event {
                Ok(Event::Incoming(packet)) => self.on_packet(packet, &mut turn),
                Ok(Event::Outgoing(_) | Event::Auth(_)) => {}
                Err(error) => return SessionEnd::Lost(error),
            }
        }
    }

    fn on_packet(&mut self, packet: Packet, turn: &mut Option<SemaphorePermit<'_>>) {
        match packet {
            Packet::ConnAck(_) => {
                *turn = None;
                self.connected();
            }
            Packet::SubAck(ack) => self.check_subscription(&ack),
            Packet::Publish(publish) => self.receive(&publish),
            Packet::Disconnect(disconnect) => {
                self.note(Level::WARN, &format!("the broker ended the connection: {:?}", disconnect.reason_code));
            }
            _ => {}
        }
    }

    fn connected(&mut self) {
        self.connected = true;
        self.pause = FIRST_PAUSE;
        self.note(Level::INFO, "connected");
        // Asked for each time: the broker may have lost the session, and says nothing when it has not.
        let mut filters = vec![self.topic(Channel::Req)];
        if self.device_settings.broadcasts {
            let topics = &self.around.endpoint.topics;
            filters.push(topics.everyone());
            // Each of its labels is a group that it belongs to.
            filters.extend(self.device_settings.tags.iter().filter_map(|tag| topics.of_group(tag)));
        }
        for filter in filters {
            if let Err(error) = self.client.try_subscribe(filter, QoS::AtLeastOnce) {
                self.note(Level::ERROR, &format!("could not subscribe: {error}"));
            }
        }
        let actions = self.device.connected();
        self.carry_out(actions);
        if !self.seen {
            self.seen = true;
            self.around.seen.send_modify(|count| *count += 1);
        }
    }

    fn check_subscription(&mut self, ack: &SubAck) {
        for code in &ack.return_codes {
            if !matches!(code, SubscribeReasonCode::Success(_)) {
                self.note(Level::ERROR, &format!("the broker denied the subscription to requests: {code:?}"));
            }
        }
    }

    fn receive(&mut self, publish: &Publish) {
        self.note(Level::INFO, &format!("asked {}", beginning(&String::from_utf8_lossy(&publish.payload))));
        if publish.retain {
            self.note(Level::WARN, "ignored a retained request, because it would arrive again at every reconnect");
        } else {
            let correlation = publish.properties.as_ref().and_then(|properties| properties.correlation_data.clone());
            let actions = self.device.receive(&publish.payload, correlation.as_deref(), clock::now());
            self.carry_out(actions);
        }
        if let Err(error) = self.client.try_ack(publish) {
            self.note(Level::WARN, &format!("could not acknowledge a request: {error}"));
        }
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Remember => {
                    if let Err(error) = self.store.save(self.device.memory()) {
                        self.note(Level::ERROR, &format!("could not write the memory: {error}"));
                        let begun = actions.iter().find_map(|action| match action {
                            Action::Perform(id) => Some(id.clone()),
                            _ => None,
                        });
                        if let Some(id) = begun {
                            let refusal = self.device.withdraw(&id, &error.to_string(), clock::now());
                            actions = refusal.into_iter().collect();
                        }
                    }
                }
                Action::Answer(response) => self.answer(&response),
                Action::Say(text) => self.say(text),
                Action::ReportStatus => self.report_status(),
                Action::ReportState => self.report_state(),
                Action::Perform(id) => actions.extend(self.begin(id)),
                Action::Measure => {
                    self.timer_queue.drop_all(|due| matches!(due, Due::Telemetry));
                    self.timer_queue.add(Instant::now(), Due::Telemetry);
                }
                Action::SendLog(id, lines) => actions.extend(self.send_log(&id, lines)),
                Action::Blink(id, length) => {
                    self.report_on(&id, Millis(0), length);
                    self.later(length, Due::Blinked(id));
                }
                Action::Restart(delay) => self.later(delay, Due::Restart),
            }
        }
    }

    /// Schedules the work, or does it at once if it takes no time.
    fn begin(&mut self, id: CommandId) -> Vec<Action> {
        let mut work = self.random.within(&self.device_settings.pace.work);
        if self.accidents.happens(self.device_settings.faults.slow) {
            work = work.max(HEARTBEAT / 5) * SLOWNESS;
        }
        let broken = self.device_settings.faults.broken(&mut self.accidents);
        let accept = *self.device_settings.pace.accept.end();
        if self.accidents.happens(self.device_settings.faults.restart) {
            self.report_on(&id, Millis(accept), Millis(work / 2));
            // Enough time for the previous answers to leave the device.
            self.later(Millis(accept + work / 2).max(SHORTEST_WORK), Due::Restart);
            return Vec::new();
        }
        if accept + work == 0 {
            return self.perform(&id, broken);
        }
        self.report_on(&id, Millis(accept), Millis(work));
        self.later(Millis(accept + work), Due::Perform(id, broken));
        Vec::new()
    }

    /// Schedules progress reports for an action that starts after `delay` and takes this long.
    fn report_on(&mut self, id: &CommandId, delay: Millis, length: Millis) {
        let mut beat = HEARTBEAT;
        while beat < length.0 {
            let percent = u8::try_from(beat * 100 / length.0).unwrap_or(100);
            self.later(delay + Millis(beat), Due::Progress(id.clone(), percent));
            beat += HEARTBEAT;
        }
    }

    fn perform(&mut self, id: &CommandId, broken: Option<&str>) -> Vec<Action> {
        self.device.perform(id, broken, clock::now())
    }

    fn do_what_is_due(&mut self) -> Option<SessionEnd> {
        while let Some(due) = self.timer_queue.take(Instant::now()) {
            match due {
                Due::Send(fate) => self.send(&fate),
                Due::Perform(id, broken) => {
                    let actions = self.perform(&id, broken);
                    self.carry_out(actions);
                }
                Due::Progress(id, percent) => {
                    let heartbeat = self.device.progress(&id, percent, clock::now());
                    self.carry_out(heartbeat.into_iter().collect());
                }
                Due::Blinked(id) => {
                    let actions = self.device.blinked(&id, clock::now());
                    self.carry_out(actions);
                }
                Due::Telemetry => self.measure(),
                Due::Restart => return Some(SessionEnd::Restart),
                Due::Leave => return Some(SessionEnd::Leave),
            }
        }
        None
    }

    fn start_anew(&mut self) {
        let off = Device::start(Default::default(), String::new(), clock::now());
        let memory = std::mem::replace(&mut self.device, off).into_memory();
        self.device = switched_on(memory, &self.device_settings);
        self.note(Level::INFO, &self.greeting());
        self.timer_queue.clear();
        self.plan();
    }

    /// Spontaneous events.
    fn plan(&mut self) {
        if let Some(interval) = self.device.telemetry_interval() {
            // Spread over the interval, so that a fleet does not speak all at once.
            let first = self.random.within(&(0..=interval.0));
            self.later(Millis(first), Due::Telemetry);
        }
        if let Some(absence) = &self.device_settings.absence {
            let stay = if absence.away_first && !self.seen { GLIMPSE } else { self.random.within(&absence.stay) };
            self.later(Millis(stay), Due::Leave);
        }
    }

    /// How long the device will be offline, in milliseconds.
    fn leave(&mut self) -> u64 {
        let Some(absence) = &self.device_settings.absence else { return 0 };
        let away = self.random.within(&absence.away);
        let stay = self.random.within(&absence.stay);
        self.later(Millis(away + stay), Due::Leave);
        away
    }

    /// The first log line of a device after it is switched on.
    fn greeting(&self) -> String {
        format!("switched on, firmware {}", self.device_settings.firmware)
    }

    async fn say_good_bye(mut self, mut event_loop: EventLoop) {
        let payload = device_side::write_offline(&self.device_settings.firmware, &self.device_settings.tags);
        self.publish(Channel::Status, payload, PublishOptions::at_least_once().retained());
        let drained = async {
            while let Ok(event) = event_loop.poll().await {
                if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                    break;
                }
            }
        };
        if self.client.try_disconnect_with_timeout(FAREWELL).is_ok() {
            // The session ends, whether or not the broker receives it.
            let _ = timeout(FAREWELL, drained).await;
        }
        self.note(Level::INFO, "switched off");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender of *stop* is gone, which means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Returns the device after another start.
fn switched_on(memory: Memory, device_settings: &DeviceSettings) -> Device {
    let boot = Uuid::new_v4().simple().to_string();
    let interval =
        device_settings.telemetry.map(|interval| Millis(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)));
    let device = Device::start(memory, boot, clock::now());
    device.speaking(device_settings.payload_format).measuring(interval).accepting_any(device_settings.accepts_any)
}
