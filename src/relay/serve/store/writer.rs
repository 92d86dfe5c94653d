//! The one task that everything goes through. Deliveries that come together share a transaction, and so a sync of the disk.

use tokio::sync::mpsc;

use super::database::Database;
use super::{Order, Pending};

/// So many orders share a transaction at most.
const TOGETHER: usize = 512;

/// Takes what waits into one transaction after the other.
pub async fn write(mut waiting: mpsc::Receiver<Pending>, mut database: Database) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, TOGETHER).await > 0 {
        // Nobody has an answer yet, so any order is right, and deliveries side by side are the fastest.
        batch.sort_by_key(|one: &Pending| one.order.delivery().is_none());
        let (orders, replies): (Vec<Order>, Vec<_>) = batch.drain(..).map(|one| (one.order, one.reply)).unzip();
        let all = match database.transact(&orders).await {
            Ok(all) => all.into_iter().map(Ok).collect(),
            // One that cannot be done must not cost the others.
            Err(_) if orders.len() > 1 => {
                let mut each = Vec::new();
                for order in &orders {
                    each.push(database.transact(std::slice::from_ref(order)).await.map(|mut one| one.remove(0)));
                }
                each
            }
            Err(error) => vec![Err(error)],
        };
        for (reply, result) in replies.into_iter().zip(all) {
            // Whoever asked may have gone: a sender that hung up.
            let _ = reply.send(result);
        }
    }
    database.close().await;
}
