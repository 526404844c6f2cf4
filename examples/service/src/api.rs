//! The requests. A client that disconnects drops the future of its handler at any `.await`.

use std::convert::Infallible;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use livedrop::app::AppHandle;
use livedrop::{AsyncDrop, AsyncDropGuard, scope, try_or_drop, with_async_drop};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::store::{Account, SharedStore, Transaction, Transfer};

/// The largest amount of money: no sum of these overflows.
const RICHEST: i64 = 1_000_000_000;
/// How long the end of a stream waits for a client that does not read.
const LINGER: Duration = Duration::from_millis(500);

#[derive(Clone)]
struct Service {
    app: AppHandle,
    store: SharedStore,
}

pub(crate) fn router(app: AppHandle, store: SharedStore) -> Router {
    Router::new()
        .route("/accounts", post(create))
        .route("/accounts/{id}", get(account))
        .route("/accounts/{id}/events", get(events))
        .route("/transfers", post(transfer))
        .with_state(Service { app, store })
}

/// Why a request is not carried out.
#[derive(Debug)]
enum Refusal {
    NoAccount(i64),
    Invalid(&'static str),
    Conflict(&'static str),
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NoAccount(id) => {
                (StatusCode::NOT_FOUND, format!("there is no account {id}")).into_response()
            }
            Self::Invalid(why) => (StatusCode::UNPROCESSABLE_ENTITY, why).into_response(),
            Self::Conflict(why) => (StatusCode::CONFLICT, why).into_response(),
            Self::Failed(error) => {
                eprintln!("a request failed: {error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

#[derive(Deserialize)]
struct Opening {
    balance: i64,
}

async fn create(
    State(service): State<Service>,
    Json(Opening { balance }): Json<Opening>,
) -> Result<(StatusCode, Json<Account>), Refusal> {
    if !(0..=RICHEST).contains(&balance) {
        return Err(Refusal::Invalid("the balance must be from 0 to 1,000,000,000"));
    }
    Ok((StatusCode::CREATED, Json(service.store.create(balance).await?)))
}

async fn account(
    State(service): State<Service>,
    Path(id): Path<i64>,
) -> Result<Json<Account>, Refusal> {
    service.store.account(id).await?.map(Json).ok_or(Refusal::NoAccount(id))
}

async fn transfer(
    State(service): State<Service>,
    Json(transfer): Json<Transfer>,
) -> Result<StatusCode, Refusal> {
    if !(1..=RICHEST).contains(&transfer.amount) || transfer.source == transfer.target {
        return Err(Refusal::Invalid("move 1 to 1,000,000,000 to another account"));
    }
    let transaction = Transaction::begin(&service.app, service.store).await?;
    // A `?` in this body would leave the transaction open, so it does not compile.
    scope!(transaction, async |mut transaction| {
        try_or_drop!(transaction, carry_out(&mut transaction, &transfer).await);
        let (proof, committed) = transaction.async_drop_via(Transaction::commit).await;
        (proof, committed.map(|()| StatusCode::CREATED).map_err(Refusal::Failed))
    })
    .await
}

/// Changes both balances before it knows whether the transfer is possible: a refusal rolls back.
async fn carry_out(transaction: &mut Transaction, transfer: &Transfer) -> Result<(), Refusal> {
    let &Transfer { source, target, amount, .. } = transfer;
    let left = transaction.add(source, -amount).await?.ok_or(Refusal::NoAccount(source))?;
    let total = transaction.add(target, amount).await?.ok_or(Refusal::NoAccount(target))?;
    if left < 0 || total > RICHEST {
        return Err(Refusal::Conflict("the money is not there, or the other account is full"));
    }
    if !transaction.record(transfer).await? {
        return Err(Refusal::Conflict("there is a transfer with this id"));
    }
    Ok(())
}

/// A client's stream of events. The cleanup says goodbye, and waits until the client has read everything.
struct Subscriber {
    /// `None` once the goodbye is sent.
    events: Option<mpsc::Sender<Event>>,
}

#[async_trait]
impl AsyncDrop for Subscriber {
    type Error = Infallible;

    async fn async_drop_impl(&mut self) -> Result<(), Infallible> {
        let Some(events) = &self.events else { return Ok(()) };
        let goodbye = events.send(Event::default().event("goodbye").data("the service stops"));
        let _late_or_gone = timeout(LINGER, goodbye).await;
        self.events = None;
        Ok(())
    }
}

async fn events(
    State(Service { app, store }): State<Service>,
    Path(id): Path<i64>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let mut changes = store.changes();
    let account = store.account(id).await?.ok_or(Refusal::NoAccount(id))?;
    let (events, mut receiver) = mpsc::channel(16);
    let subscriber = app.adopt(AsyncDropGuard::new(Subscriber { events: Some(events.clone()) }));
    let stopping = app.stopping();
    app.spawn(with_async_drop(subscriber, async move |_| {
        let feed = async {
            let mut balance = Some(account.balance);
            loop {
                if let Some(balance) = balance {
                    let event = Event::default().data(balance.to_string());
                    if events.send(event).await.is_err() {
                        return; // the client is gone
                    }
                }
                balance = match changes.recv().await {
                    Ok(account) => (account.id == id).then_some(account.balance),
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return,
                };
            }
        };
        tokio::select! {
            () = feed => {}
            () = events.closed() => {}
            () = stopping => {}
        }
        Ok::<_, Infallible>(())
    }));
    Ok(Sse::new(futures::stream::poll_fn(move |cx| {
        receiver.poll_recv(cx).map(|event| event.map(Ok))
    })))
}
