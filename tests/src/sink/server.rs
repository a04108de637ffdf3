//! Connections -> recorded requests, answered as the test says. I/O: TCP, the clock.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::delivery::Delivery;
use super::event::Event;
use super::reply::{Ending, Reply};
use crate::port::{self, Port};
use crate::wire::{Connection, Head};

type Rule = Box<dyn FnMut(&Delivery) -> Option<Reply> + Send>;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) port: Port,
    pub(super) up: watch::Sender<bool>,
    state: Mutex<State>,
}

/// What the sink answers, and what came.
pub(super) struct State {
    pub(super) script: VecDeque<Reply>,
    pub(super) rule: Option<Rule>,
    pub(super) usual: Reply,
    pub(super) idle: Option<Duration>,
    pub(super) resets: usize,
    pub(super) connections: u64,
    pub(super) deliveries: Vec<Delivery>,
    forgotten: usize,
    random: fastrand::Rng,
}

enum End {
    NextRequest,
    Closed,
    Reset,
    Silence,
}

impl Shared {
    pub(super) fn new(port: Port) -> Self {
        let state = State {
            script: VecDeque::new(),
            rule: None,
            usual: Reply::accept(),
            idle: None,
            resets: 0,
            connections: 0,
            deliveries: Vec::new(),
            forgotten: 0,
            random: fastrand::Rng::with_seed(0),
        };
        let (up, _) = watch::channel(true);
        Self { port, up, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn forget(&mut self) {
        self.forgotten += self.deliveries.len();
        self.deliveries.clear();
    }

    /// Notes a request; answers with its place among all ever.
    fn note(&mut self, delivery: Delivery) -> usize {
        self.deliveries.push(delivery);
        self.forgotten + self.deliveries.len() - 1
    }

    fn delivery_mut(&mut self, place: usize) -> Option<&mut Delivery> {
        self.deliveries.get_mut(place.checked_sub(self.forgotten)?)
    }

    fn decide(&mut self, delivery: &Delivery) -> Reply {
        let decided = self.rule.as_mut().and_then(|rule| rule(delivery));
        decided.unwrap_or_else(|| self.usual.clone())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("deliveries", &self.deliveries.len()).finish_non_exhaustive()
    }
}

/// Accepts connections while the sink is up; ends when dropped.
pub(super) async fn listen(shared: Arc<Shared>, first: TcpListener) {
    let mut up = shared.up.subscribe();
    let mut listener = Some(first);
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            stream = accepted => {
                if let Ok((stream, _)) = stream {
                    connections.spawn(serve(shared.clone(), stream));
                }
            }
            _ = up.changed() => {
                listener = if *up.borrow_and_update() { listener.or_else(|| shared.port.listen().ok()) } else { None };
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    stream.set_nodelay(true).ok();
    let (number, is_reset) = {
        let mut state = shared.state();
        state.connections += 1;
        let is_reset = state.resets > 0;
        state.resets = state.resets.saturating_sub(1);
        (state.connections, is_reset)
    };
    if is_reset {
        return port::reset(stream);
    }
    let mut connection = Connection::new(stream);
    let mut up = shared.up.subscribe();
    loop {
        let end = tokio::select! {
            biased;
            _ = up.wait_for(|up| !*up) => End::Reset,
            end = answer_one(&shared, number, &mut connection) => end.unwrap_or(End::Closed),
        };
        match end {
            End::NextRequest => {}
            End::Closed => return,
            End::Reset => return port::reset(connection.into_stream()),
            End::Silence => {
                tokio::select! {
                    () = connection.wait_for_end() => {}
                    _ = up.wait_for(|up| !*up) => {}
                }
                return;
            }
        }
    }
}

async fn answer_one(shared: &Shared, number: u64, connection: &mut Connection<TcpStream>) -> io::Result<End> {
    let Some(head) = next_head(shared, connection).await? else { return Ok(End::Closed) };
    let mut delivery = new_delivery(number, head);
    let scripted = shared.state().script.pop_front();
    if scripted.as_ref().is_some_and(|reply| reply.ending == Ending::ResetBeforeReading) {
        shared.state().note(delivery);
        return Ok(End::Reset);
    }
    delivery.body = connection.read_body(&delivery.head).await?;
    delivery.event = Event::read(&delivery.head, &delivery.body);
    let (place, reply, takes) = {
        let mut state = shared.state();
        let reply = scripted.unwrap_or_else(|| state.decide(&delivery));
        let takes = reply.takes.map(|latency| latency.sample(&mut state.random));
        (state.note(delivery), reply, takes)
    };
    if let Some(takes) = takes {
        sleep(takes).await;
    }
    end_with(shared, place, connection, &reply).await
}

/// The next request; `None` once the peer has closed the connection, or has been idle for too long.
async fn next_head(shared: &Shared, connection: &mut Connection<TcpStream>) -> io::Result<Option<Head>> {
    let idle = shared.state().idle;
    match idle {
        Some(idle) => timeout(idle, connection.read_head()).await.unwrap_or(Ok(None)),
        None => connection.read_head().await,
    }
}

async fn end_with(
    shared: &Shared,
    place: usize,
    connection: &mut Connection<TcpStream>,
    reply: &Reply,
) -> io::Result<End> {
    let end = match reply.ending {
        Ending::Answered => End::NextRequest,
        Ending::AnsweredAndClosed => End::Closed,
        Ending::CutShort => End::Reset,
        Ending::Hanging => return Ok(End::Silence),
        Ending::ResetAfterReading | Ending::ResetBeforeReading => return Ok(End::Reset),
    };
    // Noted first, so that whoever has the answer finds it noted.
    if let Some(delivery) = shared.state().delivery_mut(place) {
        delivery.answered = Some(Instant::now());
        delivery.status = Some(reply.answer.status);
    }
    if reply.ending == Ending::CutShort {
        connection.write_part(&reply.answer).await?;
    } else {
        connection.write(&reply.answer, reply.ending == Ending::Answered).await?;
    }
    Ok(end)
}

fn new_delivery(connection: u64, head: Head) -> Delivery {
    Delivery {
        came: Instant::now(),
        answered: None,
        status: None,
        connection,
        head,
        body: Bytes::new(),
        event: Event::default(),
    }
}
