//! The one task that everything goes through. Deliveries that come together share a transaction, and so a sync of the disk.

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::database::Database;
use super::trouble::StoreError;
use super::{Order, Pending, Reply, Watch};

/// So many orders share a transaction at most.
const TOGETHER: usize = 512;

/// Takes what waits into one transaction after the other, and says so where that changes what people are shown.
pub async fn write(
    mut waiting: mpsc::Receiver<Pending>,
    mut database: Database,
    changed: watch::Sender<u64>,
    watch: Watch,
) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, TOGETHER).await > 0 {
        // Nobody has an answer yet, so any order is right, and deliveries side by side are the fastest.
        batch.sort_by_key(|one: &Pending| one.order.delivery().is_none());
        let (orders, replies): (Vec<Order>, Vec<_>) = batch.drain(..).map(|one| (one.order, one.reply)).unzip();
        let all = match transact(&mut database, &orders, &watch).await {
            Ok(all) => all.into_iter().map(Ok).collect(),
            // One that cannot be done must not cost the others.
            Err(_) if orders.len() > 1 => {
                let mut each = Vec::new();
                for order in &orders {
                    let one = transact(&mut database, std::slice::from_ref(order), &watch).await;
                    each.push(one.map(|mut one| one.remove(0)));
                }
                each
            }
            Err(error) => vec![Err(error)],
        };
        if orders.iter().any(Order::is_change) {
            changed.send_modify(|changes| *changes = changes.wrapping_add(1));
        }
        for (reply, result) in replies.into_iter().zip(all) {
            // Whoever asked may have gone: a sender that hung up.
            let _ = reply.send(result);
        }
    }
    database.close().await;
}

async fn transact(database: &mut Database, orders: &[Order], watch: &Watch) -> Result<Vec<Reply>, StoreError> {
    let began = Instant::now();
    let result = database.transact(orders).await;
    watch(began.elapsed(), result.is_ok());
    result
}
