//! Several accounts of one person: no sign-in takes the place of somebody else's.

use chipp_auth::credential::Credential;
use chipp_auth::session::Begun;

use super::{Room, key, record, session, text};

/// A sign-in of this account.
fn of(room: &Room, n: u64, identity: Option<&str>, subject: Option<&str>) -> Credential {
    let (identity, subject) = (identity.map(str::to_owned), subject.map(str::to_owned));
    Credential { identity, subject, ..record(&room.endpoint, n, 0) }
}

#[tokio::test]
async fn a_sign_in_takes_the_place_of_its_own_account_and_of_an_unknown_one() {
    let john = Some("john@example.com");
    for (old, new, stored) in [
        ((john, None), (john, None), true),
        ((john, None), (Some("John@Example.com"), None), true),
        ((None, None), (john, None), true),
        ((john, None), (None, None), true),
        ((john, None), (Some("jane@example.com"), None), false),
        // The provider's own word counts where names change; and names where it gives each client another one.
        ((john, Some("7")), (Some("john@new.example"), Some("7")), true),
        ((john, Some("7")), (john, Some("8")), true),
        ((john, Some("7")), (Some("jane@example.com"), Some("8")), false),
        ((john, Some("7")), (Some("jane@example.com"), None), false),
        // The ID token proves another account also where no name was found.
        ((john, Some("7")), (None, Some("8")), false),
        ((john, Some("7")), (None, Some("7")), true),
    ] {
        let room = Room::new(0, vec![]).await;
        room.store.save(&key(), &of(&room, 1, old.0, old.1)).await.unwrap();
        let begun = room.session.begin(of(&room, 9, new.0, new.1)).await.unwrap();
        let expected = if stored { Begun::Stored } else { Begun::Taken("john@example.com".into()) };
        assert_eq!(begun, expected, "{old:?} {new:?}");
        let access = text(room.stored().await.tokens.access);
        assert_eq!(access, if stored { "access-9" } else { "access-1" });
    }
}

// Each looks while nobody else can change it.
#[tokio::test]
async fn of_many_sign_ins_at_once_one_account_gets_the_place_and_keeps_it() {
    let room = Room::new(0, vec![]).await;
    room.store.forget(&key()).await.unwrap();
    let names: Vec<_> = (0..12).map(|n| format!("user-{n}@example.com")).collect();
    let sign_ins: Vec<_> = (0..12)
        .map(|n| {
            let session = session(&room.store, &room.home);
            let credential = of(&room, n, Some(&names[n as usize]), None);
            tokio::spawn(async move { session.begin(credential).await.unwrap() })
        })
        .collect();
    let mut begun = Vec::new();
    for sign_in in sign_ins {
        begun.push(sign_in.await.unwrap());
    }
    let winner = room.stored().await.identity.unwrap();
    for (name, begun) in names.iter().zip(begun) {
        let expected = if *name == winner { Begun::Stored } else { Begun::Taken(winner.clone()) };
        assert_eq!(begun, expected, "{name}");
    }
}
