//! A server that is busy, in trouble or out of reach: nothing is lost, nobody waits without an end, and no
//! process makes it worse (rows 80-86).

use std::time::{Duration, Instant};

use chipp_auth::credential::{Client, TokenStyle};
use chipp_auth::error::Name;
use chipp_auth::store::pause;
use serde_json::json;

use crate::endpoint::{Answer, error, issue, lose, refuse, status};
use crate::{Room, key, record, session, text};

/// 429 with this `Retry-After`.
fn busy(after: &str) -> Answer {
    status(429).with("retry-after", after)
}

/// Nothing of the stored sign-in has changed.
async fn kept(room: &Room) {
    let stored = room.stored().await;
    assert_eq!((stored.generation, stored.refused_at, stored.client_refused_at), (1, None, None));
    assert_eq!(text(stored.tokens.refresh.unwrap()), "refresh-1");
}

// Row 82: USE.
#[tokio::test]
async fn a_busy_server_is_left_alone_while_a_token_works() {
    let room = Room::new(9, vec![busy("1")]).await;
    for _ in 0..3 {
        assert_eq!(text(room.session.token().await.unwrap()), "access-1");
    }
    assert_eq!(room.endpoint.requests(), 1);
    kept(&room).await;
}

// Row 82: else wait once, as long as the server says.
#[tokio::test]
async fn a_short_wait_is_waited_and_the_same_token_presented_again() {
    let room = Room::new(60, vec![busy("2"), issue(2)]).await;
    let begun = Instant::now();
    assert_eq!(text(room.session.token().await.unwrap()), "access-2");
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(room.endpoint.presented(), ["refresh-1", "refresh-1"]);
}

#[tokio::test]
async fn a_server_that_is_still_busy_is_not_waited_for_twice() {
    let room = Room::new(60, vec![error(400, "slow_down").with("retry-after", "1"), busy("1")]).await;
    let failure = room.session.token().await.unwrap_err();
    assert_eq!(failure.name(), Name::ServerBusy);
    assert!(failure.hint().contains("1s"), "{}", failure.hint());
    assert_eq!(room.endpoint.requests(), 2);
    kept(&room).await;
}

// Rows 82 and 83: too long to wait for; said at once, and no other process asks.
#[tokio::test]
async fn a_long_wait_is_said_at_once_and_holds_for_every_process() {
    for after in ["45", "1000000000", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let room = Room::new(60, vec![busy(after), issue(2)]).await;
        let begun = Instant::now();
        assert_eq!(room.session.token().await.unwrap_err().name(), Name::ServerBusy);
        for _ in 0..3 {
            let other = session(&room.store, &room.home);
            let failure = other.token().await.unwrap_err();
            assert_eq!(failure.name(), Name::ServerBusy);
            assert!(failure.hint().starts_with("try again in "), "{}", failure.hint());
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{after}: {:?}", begun.elapsed());
        assert_eq!(room.endpoint.requests(), 1, "{after}");
        kept(&room).await;
    }
}

// The note is nobody's promise: what lies in the past, too far ahead, or is no number does not count.
#[tokio::test]
async fn a_note_that_cannot_be_true_is_ignored() {
    let now = chipp_auth::credential::now();
    for note in
        [String::new(), "soon".into(), (now - 1).to_string(), (now + 7200).to_string(), "9".repeat(40)]
    {
        let room = Room::new(60, vec![issue(2)]).await;
        let lock = room.home.path().join("lock");
        pause::write(&lock, 1).unwrap();
        assert_eq!(pause::read(&lock), Some(1));
        std::fs::write(lock.with_extension("pause"), &note).unwrap();
        assert_eq!(text(room.session.token().await.unwrap()), "access-2", "{note}");
    }
}

// The end of the wait is the end of it.
#[tokio::test]
async fn after_the_wait_the_server_is_asked_again() {
    let room = Room::new(60, vec![busy("1"), busy("1"), issue(2)]).await;
    assert_eq!(room.session.token().await.unwrap_err().name(), Name::ServerBusy);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let other = session(&room.store, &room.home);
    assert_eq!(text(other.token().await.unwrap()), "access-2");
}

// Row 84 (G): the same token, after 1 s and 4 s.
#[tokio::test]
async fn a_server_in_trouble_is_asked_three_times_with_the_same_token() {
    let room = Room::new(60, vec![status(503), status(500), issue(2)]).await;
    let begun = Instant::now();
    assert_eq!(text(room.session.token().await.unwrap()), "access-2");
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(room.endpoint.presented(), ["refresh-1"; 3]);
}

// Rows 97 and 98: an answer that says both is a renewal. The old token must not be seen again.
#[tokio::test]
async fn a_new_refresh_token_is_kept_whatever_is_said_beside_it() {
    let both = json!({"error": "temporarily_unavailable", "refresh_token": "refresh-2"});
    let room = Room::new(60, vec![Answer::of(200, both), issue(3)]).await;
    assert_eq!(room.session.token().await.unwrap_err().name(), Name::ServerBusy);
    assert_eq!(text(room.stored().await.tokens.refresh.unwrap()), "refresh-2");
    assert_eq!(text(room.session.token().await.unwrap()), "access-3");
    assert_eq!(room.endpoint.presented(), ["refresh-1", "refresh-2"]);
}

// Rows 88 to 90: nobody knows whether it was renewed. The old token is the only one that can be good.
#[tokio::test]
async fn a_lost_connection_is_tried_again_with_the_same_token() {
    let room = Room::new(60, vec![lose(), issue(2)]).await;
    assert_eq!(text(room.session.token().await.unwrap()), "access-2");
    assert_eq!(room.endpoint.presented(), ["refresh-1"; 2]);
}

// Row 91: a server that takes its time to fail is not given three times that.
#[tokio::test]
async fn a_slow_failure_is_not_repeated() {
    let room = Room::new(60, vec![status(503), issue(2)]).await;
    room.endpoint.before_answer(|| tokio::time::sleep(Duration::from_secs(11)));
    assert_eq!(room.session.token().await.unwrap_err().name(), Name::ServerError);
    assert_eq!(room.endpoint.requests(), 1);
}

// Row 62: no herd.
#[tokio::test]
async fn a_server_that_failed_for_one_process_is_spared_by_all() {
    let room = Room::new(60, vec![status(502), status(502), status(502), issue(2)]).await;
    let others: Vec<_> = (0..10).map(|_| session(&room.store, &room.home)).collect();
    let begun = Instant::now();
    let calls = others.into_iter().map(|session| tokio::spawn(async move { session.token().await }));
    let mut names = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        names.push(call.await.unwrap().unwrap_err().name());
    }
    names.sort_by_key(|name| *name != Name::ServerError);
    assert_eq!(names[0], Name::ServerError);
    assert!(names[1..].iter().all(|name| *name == Name::ServerBusy), "{names:?}");
    assert_eq!(room.endpoint.requests(), 3);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    kept(&room).await;
}

// Rows 87, 92 to 94: what no second attempt mends is not tried again.
#[tokio::test]
async fn an_answer_that_will_be_the_same_is_asked_for_once() {
    for (answer, name) in [
        (status(302).with("location", "http://127.0.0.1:1/"), Name::RedirectRefused),
        (Answer::of(200, json!([])), Name::BadResponse),
        (status(404), Name::ServerError),
        (error(400, "invalid_scope"), Name::ClientRejected),
    ] {
        let room = Room::new(60, vec![answer]).await;
        assert_eq!(room.session.token().await.unwrap_err().name(), name);
        assert_eq!(room.endpoint.requests(), 1);
        kept(&room).await;
    }
}

// a client that we registered can be registered again, by the next sign-in.
#[tokio::test]
async fn a_forgotten_registration_is_noted_and_the_sign_in_kept() {
    let room = Room::new(60, vec![error(401, "invalid_client")]).await;
    let mut stored = room.stored().await;
    stored.client.registered_redirect = Some("http://localhost:1/callback".into());
    room.store.save(&key(), &stored).await.unwrap();
    for _ in 0..2 {
        let failure = session(&room.store, &room.home).token().await.unwrap_err();
        assert_eq!(failure.name(), Name::LoginRequired);
        assert!(failure.what().contains("forgotten"), "{failure}");
    }
    assert_eq!(room.endpoint.requests(), 1, "asked once");
    let stored = room.stored().await;
    assert!(stored.client_refused_at.is_some() && stored.refused_at.is_none());
    assert_eq!(text(stored.tokens.refresh.unwrap()), "refresh-1");
}

// Row 79: a client that the user configured is the user's to correct.
#[tokio::test]
async fn a_configured_client_that_is_refused_is_named_and_nothing_changes() {
    let room = Room::new(60, vec![error(401, "invalid_client")]).await;
    assert_eq!(room.session.token().await.unwrap_err().name(), Name::ClientRejected);
    kept(&room).await;
}

// A new sign-in makes all of it good again.
#[tokio::test]
async fn a_new_sign_in_ends_what_was_noted() {
    let room = Room::new(60, vec![refuse(), issue(3)]).await;
    room.session.token().await.unwrap_err();
    room.session.begin(record(&room.endpoint, 2, 60)).await.unwrap();
    assert_eq!(text(room.session.token().await.unwrap()), "access-3");
    assert_eq!(room.endpoint.presented(), ["refresh-1", "refresh-2"]);
}

// each refresh names the resource again, and no scope.
#[tokio::test]
async fn a_refresh_repeats_the_resource_and_asks_for_no_scope() {
    let room = Room::new(60, vec![issue(2)]).await;
    let mut stored = room.stored().await;
    stored.resource = Some("https://e.com/mcp".into());
    stored.requested_scope = Some("a b".into());
    let style = TokenStyle::FormPost;
    stored.client = Client { id: "c".into(), secret: Some("s".into()), style, ..Client::default() };
    room.store.save(&key(), &stored).await.unwrap();
    room.session.token().await.unwrap();
    let asked = &room.endpoint.asked()[0].parameters;
    let expected = [
        ("client_id", "c"),
        ("client_secret", "s"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "refresh-1"),
        ("resource", "https://e.com/mcp"),
    ];
    assert_eq!(asked.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
}

// T8, row 104, I1: the successor is stored, and then nobody uses it, no other process either.
#[tokio::test]
async fn tokens_of_a_wrong_type_are_stored_and_used_by_nobody() {
    let strange = |n: u64| {
        let mut answer = issue(n);
        answer.body["token_type"] = "mac".into();
        answer
    };
    let room = Room::new(60, vec![strange(2), strange(3), issue(4)]).await;
    assert_eq!(room.session.token().await.unwrap_err().name(), Name::WrongTokenType);
    assert_eq!(text(room.stored().await.tokens.refresh.unwrap()), "refresh-2");
    let other = session(&room.store, &room.home);
    assert_eq!(other.token().await.unwrap_err().name(), Name::WrongTokenType);
    assert_eq!(text(room.session.token().await.unwrap()), "access-4");
    assert_eq!(room.endpoint.presented(), ["refresh-1", "refresh-2", "refresh-3"]);
}
