//! An async service on loopback: its handlers are tracked, and two requests are served at a time.
//! Each handler gets the energy of the time in which it was polled, not of that in which it waited.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;

    // Two clients at once; the service ends when it has answered both.
    let clients = [b's', b'c'].map(|wish| {
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_u8(wish).await?;
            stream.read_u64().await
        })
    });
    let mut handlers = Vec::new();
    for _ in 0..2 {
        let (mut stream, _) = listener.accept().await?;
        handlers.push(tokio::spawn(async move {
            match stream.read_u8().await? {
                b's' => search(&mut stream).await,
                _ => compute(&mut stream).await,
            }
        }));
    }
    for handler in handlers {
        handler.await??;
    }
    for client in clients {
        println!("answer: {}", client.await??);
    }
    println!("{}", eco2ai::summary("emission.csv")?);
    Ok(())
}

/// Waits for the most part, as for a database.
#[eco2ai::track(project = "service", description = "search")]
async fn search(stream: &mut TcpStream) -> std::io::Result<()> {
    tokio::time::sleep(Duration::from_millis(500)).await;
    stream.write_u64(1).await
}

/// Computes for the most part.
#[eco2ai::track(project = "service", description = "compute")]
async fn compute(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut sum = 0_u64;
    for round in 0..200_u64 {
        sum = (0..200_000)
            .fold(sum, |sum, n| black_box(sum.wrapping_mul(31).wrapping_add(n ^ round)));
        tokio::task::yield_now().await;
    }
    stream.write_u64(sum).await
}
