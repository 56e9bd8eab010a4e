use proptest::prelude::*;

use super::*;

fn sealer(passphrase: &str) -> Sealer {
    Sealer::new(Some(passphrase.into()))
}

fn text(opened: Result<Opened>) -> Option<String> {
    match opened {
        Ok(Opened::Text(text)) => Some(text.expose_secret().to_owned()),
        _ => None,
    }
}

#[test]
fn sealed_text_opens_with_the_passphrase_in_its_place_only() {
    let sealed = sealer("right").seal("here", &"secret".into()).unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"secret"));
    assert_eq!(text(sealer("right").open("here", &sealed)).unwrap(), "secret");
    assert!(matches!(sealer("right").open("there", &sealed), Ok(Opened::Damaged(Damage::Corrupt))));
    for other in [sealer("wrong"), sealer(""), Sealer::new(None)] {
        assert_eq!(other.open("here", &sealed).unwrap_err().name(), Name::StoreSealed);
    }
    assert_eq!(sealer("").seal("here", &"secret".into()).unwrap_err().name(), Name::StoreSealed);
}

#[test]
fn every_changed_or_missing_byte_is_damage_and_not_a_wrong_passphrase() {
    let sealer = sealer("right");
    let sealed = sealer.seal("here", &"secret".into()).unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            let opened = sealer.open("here", &changed);
            assert!(matches!(opened, Ok(Opened::Damaged(_))), "byte {at}, bit {bit}: {opened:?}");
        }
        assert!(matches!(sealer.open("here", &sealed[..at]), Ok(Opened::Damaged(Damage::Corrupt))));
    }
    let longer = [sealed.as_slice(), b"x"].concat();
    assert!(matches!(sealer.open("here", &longer), Ok(Opened::Damaged(Damage::Corrupt))));
}

#[test]
fn a_repaired_checksum_changes_only_the_name_of_the_refusal() {
    let sealer = sealer("right");
    let sealed = sealer.seal("here", &"secret".into()).unwrap();
    for at in 8..HEADER {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let header: &mut [u8; HEADER] = changed.first_chunk_mut().unwrap();
        let sum = checksum(header);
        header[60..68].copy_from_slice(&sum);
        // Where the checksum itself was changed, it is now right again.
        assert_eq!(text(sealer.open("here", &changed)).is_some(), (60..68).contains(&at), "byte {at}");
    }
}

#[test]
fn a_newer_form_is_named_and_a_costly_one_is_refused() {
    let sealed = sealer("right").seal("here", &"secret".into()).unwrap();
    let mut newer = sealed.clone();
    newer[7] = 9;
    let opened = sealer("right").open("here", &newer);
    assert!(matches!(opened, Ok(Opened::Damaged(Damage::Newer(9)))));
    for cost in [[u32::MAX, 2, 1], [19 * 1024, u32::MAX, 1], [19 * 1024, 2, 5], [0, 2, 1], [8, 1, 4]] {
        let from = Derivation { cost, salt: [0; 16] };
        let header = Header { from, nonce: [0; 24], check: [0; 16] }.encode();
        assert_eq!(Header::decode(&header).err(), Some(Damage::Corrupt), "{cost:?}");
    }
}

#[test]
fn a_key_is_derived_once_and_a_nonce_never_used_twice() {
    let sealer = sealer("right");
    let sealed: Vec<_> = (0..20).map(|_| sealer.seal("here", &"secret".into()).unwrap()).collect();
    assert_eq!(sealer.cache().len(), 1);
    let nonces: std::collections::HashSet<_> = sealed.iter().map(|sealed| &sealed[36..60]).collect();
    assert_eq!(nonces.len(), 20);
}

#[test]
fn a_known_file_of_this_form_still_opens() {
    // Written by this version: whoever changes the form must raise its version.
    let known = include_bytes!("known.sealed");
    assert_eq!(text(sealer("correct horse").open("default https://a", known)).unwrap(), "battery staple");
}

proptest! {
    #[test]
    fn any_header_is_decoded_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Header::decode(&bytes);
        let ours = [b"chippsl\x01".as_slice(), &bytes].concat();
        prop_assert!(Header::decode(&ours).is_err());
    }

    #[test]
    fn a_header_survives_its_bytes(salt: [u8; 16], nonce: [u8; 24], check: [u8; 16]) {
        let header = Header { from: Derivation { cost: COST, salt }, nonce, check };
        let read = Header::decode(&header.encode());
        prop_assert!(read.is_ok_and(|read| read.from == header.from && read.nonce == nonce && read.check == check));
    }
}
