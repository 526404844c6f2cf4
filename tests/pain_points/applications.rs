//! Web servers and child processes.

#[cfg(feature = "app")]
#[test]
fn p24_upgraded_connections_say_goodbye_in_a_graceful_shutdown() {
    use std::future::pending;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use async_trait::async_trait;
    use livedrop::app::App;
    use livedrop::{AsyncDrop, AsyncDropGuard, with_async_drop};
    use tokio::task::yield_now;

    use crate::runtime;

    /// A connection that was upgraded: its HTTP server does not know it any more.
    struct WebSocket {
        goodbyes: Arc<AtomicUsize>,
    }

    impl WebSocket {
        async fn serve(&mut self) -> io::Result<()> {
            pending().await
        }
    }

    #[async_trait]
    impl AsyncDrop for WebSocket {
        type Error = io::Error;

        async fn async_drop_impl(&mut self) -> io::Result<()> {
            yield_now().await;
            self.goodbyes.fetch_add(1, SeqCst);
            Ok(())
        }
    }

    let goodbyes = Arc::<AtomicUsize>::default();
    let upgrade = || WebSocket { goodbyes: Arc::clone(&goodbyes) };

    let stopped = runtime();
    stopped.block_on(async {
        let mut socket = upgrade();
        tokio::spawn(async move {
            socket.serve().await.unwrap();
            socket.async_drop_impl().await.unwrap();
        });
        yield_now().await; // here the server has answered its last request, and `main` returns
    });
    drop(stopped);
    assert_eq!(goodbyes.load(SeqCst), 0, "the complaint");

    let ended = runtime().block_on(async {
        let app = App::new().without_signals().grace(Duration::from_millis(10));
        app.run(async |app| {
            for _ in 0..3 {
                let socket = app.adopt(AsyncDropGuard::new(upgrade()));
                app.spawn(with_async_drop(socket, async |socket| socket.serve().await));
            }
            app.stop();
            app.stopping().await; // in a server: `with_graceful_shutdown(app.stopping())`
            Ok::<(), io::Error>(())
        })
        .await
    });
    assert_eq!((ended.report.cleaned, ended.report.abandoned.len()), (3, 0));
    assert_eq!(goodbyes.load(SeqCst), 3);
}

#[cfg(all(feature = "process", unix))]
#[tokio::test]
async fn p29_a_child_ends_in_its_own_way_and_leaves_no_zombie() {
    use std::path::Path;
    use std::process::Stdio;

    use livedrop::process;
    use tokio::io::AsyncReadExt;
    use tokio::process::{Child, ChildStdout, Command};
    use tokio::task::yield_now;

    /// A server that saves its state to a file when it is terminated.
    fn server(state: &Path) -> Command {
        let script = "trap 'echo saved > $0; exit' TERM; echo; while :; do sleep 0.01; done";
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(state).stdout(Stdio::piped());
        command
    }
    async fn is_ready(output: &mut ChildStdout) {
        output.read_u8().await.unwrap();
    }
    // A zombie exists, too.
    fn exists(pid: u32) -> bool {
        let kill = format!("kill -0 {pid} 2>/dev/null");
        std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success()
    }

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pain_points_p29");
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let state = folder.join("state");

    let mut unguarded: Child = server(&state).kill_on_drop(true).spawn().unwrap();
    is_ready(unguarded.stdout.as_mut().unwrap()).await;
    let pid = unguarded.id().unwrap();
    drop(unguarded);
    while exists(pid) {
        yield_now().await;
    }
    assert!(!state.exists(), "the complaint: it was killed before it could save its state");

    let mut server = process::spawn(&mut server(&state)).unwrap();
    is_ready(server.stdout.as_mut().unwrap()).await;
    let pid = server.id().unwrap();
    server.async_drop().await.unwrap();
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "saved\n");
    assert!(!exists(pid), "it was reaped");
}
