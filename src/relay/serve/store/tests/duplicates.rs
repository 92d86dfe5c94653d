//! Which delivery is a duplicate of which, as every store decides it.

use super::*;

#[tokio::test]
async fn a_duplicate_names_the_delivery_that_it_repeats() {
    for (store, address, _directory) in stores().await {
        let mut first_ones = Vec::new();
        for (number, sender_id, body, tag) in
            [(1, "7", "a", "x"), (2, "7", "b", "x"), (3, "", "c", "y"), (4, "", "c", "y"), (5, "", "c", "y")]
        {
            let receipt = store.accept(delivery(number, sender_id, body, tag, "firing")).await.unwrap();
            first_ones.push(receipt.duplicate_of);
        }
        let named = |number: u32| Some(delivery(number, "", "", "", "firing").id);
        assert_eq!(first_ones, [None, named(1), None, named(3), named(3)], "{address}");
    }
}

#[tokio::test]
async fn deliveries_that_come_at_the_same_time_make_one_job() {
    for (store, address, _directory) in stores().await {
        let store = std::sync::Arc::new(store);
        let mut all = tokio::task::JoinSet::new();
        for number in 0..50 {
            let store = std::sync::Arc::clone(&store);
            all.spawn(
                async move { store.accept(delivery(number, "", &number.to_string(), "x", "firing")).await.unwrap() },
            );
        }
        let receipts = all.join_all().await;
        let started = receipts.iter().filter(|receipt| matches!(receipt.taken[0], Taken::Started { .. })).count();
        assert_eq!((receipts.len(), started), (50, 1), "{address}");
    }
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_known() {
    for (store, address, _directory) in stores().await {
        let mut said = Vec::new();
        for (number, id, body, tag, state) in [
            (1, "7", "a", "x", "firing"),
            (2, "7", "a", "x", "firing"),
            (3, "", "b", "x", "firing"),
            (4, "", "b", "x", "firing"),
            (5, "", "c", "x", "resolved"),
            (6, "", "b", "x", "firing"),
            (7, "8", "b", "x", "firing"),
            (8, "", "q", "y", "acknowledged"),
            (9, "", "q", "y", "acknowledged"),
        ] {
            said.push(told(&store.accept(delivery(number, id, body, tag, state)).await.unwrap()));
        }
        let other = "the alert is acknowledged, which starts nothing";
        let expected =
            ["started j1", "duplicate", "joined j1", "duplicate", "joined j1", "joined j1", "joined j1", other, other];
        assert_eq!(said, expected, "{address}");
    }
}

#[tokio::test]
async fn sending_the_same_again_is_the_retry_of_a_job_that_was_dropped() {
    for (kind, expected) in [
        (OutcomeKind::PrOpened, "duplicate"),
        (OutcomeKind::WaitingForUser, "duplicate"),
        (OutcomeKind::QuotaExceeded, "started j2"),
        (OutcomeKind::CreateUnknown, "started j2"),
    ] {
        for (store, address, _directory) in stores().await {
            store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
            settle(&store, kind).await;
            let again = store.accept(delivery(2, "", "a", "x", "firing")).await.unwrap();
            assert_eq!(told(&again), expected, "{kind:?} {address}");
        }
    }
}

#[tokio::test]
async fn what_is_not_recognized_is_kept_and_may_come_again() {
    for (store, _, _directory) in stores().await {
        for number in [1, 2] {
            let unrecognized = Verdict::Unrecognized("of no known shape".to_string());
            let delivery =
                NewDelivery { verdict: unrecognized, entries: Vec::new(), ..delivery(number, "7", "a", "x", "firing") };
            assert!(!store.accept(delivery).await.unwrap().is_duplicate());
        }
        let recognized = store.accept(delivery(3, "7", "a", "x", "firing")).await.unwrap();
        assert_eq!(told(&recognized), "started j3");
    }
}

#[tokio::test]
async fn an_identifier_is_free_again_after_its_time_though_the_delivery_is_still_kept() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "7", "a", "x", "firing")).await.unwrap();
        let mut number = 2;
        // Its time is over a millisecond later.
        let taken = loop {
            let again = NewDelivery { retention: Duration::ZERO, ..delivery(number, "7", "b", "y", "firing") };
            let receipt = store.accept(again).await.unwrap();
            if !receipt.is_duplicate() {
                break receipt;
            }
            number += 1;
        };
        assert_eq!(told(&taken), format!("started j{number}"), "{address}");
        let known = store.accept(delivery(number + 1, "7", "c", "z", "firing")).await.unwrap();
        assert!(known.is_duplicate(), "the identifier is now the later one's: {address}");
    }
}
