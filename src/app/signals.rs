//! The signals that stop an application, and their default effect while none runs.

#[cfg(unix)]
pub(super) use unix::Signals;

#[cfg(not(unix))]
pub(super) use other::Signals;

#[cfg(unix)]
mod unix {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::sync::{Mutex, Once, PoisonError};

    use futures::future::select;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag::register_conditional_default;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// Listens for SIGINT and SIGTERM. While one of these exists, the signals do not end the process.
    pub(crate) struct Signals {
        interrupt: Signal,
        terminate: Signal,
        _held: Held,
    }

    impl Signals {
        pub(crate) fn listen() -> Self {
            register();
            let listen = |kind| signal(kind).unwrap_or_else(|error| refused(&error));
            let interrupt = listen(SignalKind::interrupt());
            let terminate = listen(SignalKind::terminate());
            Self { interrupt, terminate, _held: Held::new() }
        }

        pub(crate) async fn next(&mut self) {
            select(pin!(self.interrupt.recv()), pin!(self.terminate.recv())).await;
        }
    }

    fn refused(error: &std::io::Error) -> ! {
        panic!("cannot handle SIGINT and SIGTERM: {error}")
    }

    /// Whether the signals end the process.
    ///
    /// Tokio never removes its handler, which swallows the signals once nobody listens. So another action, which
    /// is never removed either, ends the process while this is true.
    static END_THE_PROCESS: AtomicBool = AtomicBool::new(true);

    /// Registers that action. It must run before the handler of tokio: after it, the application may have ended
    /// already, and the signal that stopped it would end the process.
    fn register() {
        static IS_REGISTERED: Once = Once::new();
        IS_REGISTERED.call_once(|| {
            for signal in [SIGINT, SIGTERM] {
                register_conditional_default(signal, &END_THE_PROCESS)
                    .unwrap_or_else(|error| refused(&error));
            }
        });
    }

    /// While one of these exists, the signals do not end the process.
    struct Held;

    static HELD: Mutex<usize> = Mutex::new(0);

    impl Held {
        fn new() -> Self {
            let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
            *held += 1;
            END_THE_PROCESS.store(false, SeqCst);
            Self
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
            *held -= 1;
            END_THE_PROCESS.store(*held == 0, SeqCst);
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::future::pending;

    /// Listens for Ctrl-C.
    pub(crate) struct Signals;

    impl Signals {
        pub(crate) fn listen() -> Self {
            Self
        }

        pub(crate) async fn next(&mut self) {
            if tokio::signal::ctrl_c().await.is_err() {
                pending::<()>().await;
            }
        }
    }
}
