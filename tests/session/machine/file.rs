//! The file that a workload's JWT is read from.

use super::*;

// the platform writes a fresh one before the old one ends.
#[tokio::test]
async fn the_file_is_read_anew_each_time() {
    let world = World::new(vec![issue(2), issue(3)], vec![]).await;
    let session = world.session(world.workload("\n first.jwt.x \r\n"));
    let used = session.token().await.unwrap();
    world.file("second.jwt.x");
    session.another(used).await.unwrap();
    assert_eq!(world.server.all("assertion"), ["first.jwt.x", "second.jwt.x"]);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(world.server.all("grant_type"), [grant, grant]);
}

#[tokio::test]
async fn a_file_that_is_no_jwt_is_named_and_never_sent() {
    let world = World::new(vec![], vec![]).await;
    let long = "x".repeat(65 * 1024);
    for text in ["", " \n", "two words", "a\u{0}b", "jwt\nX-Header: y", &long] {
        let failure = world.session(world.workload(text)).token().await.unwrap_err();
        assert_eq!(failure.name(), Name::ConfigBad);
        assert!(!failure.what().contains("words") && failure.what().len() < 300, "{failure}");
    }
    let gone = Grant::JwtBearer { assertion: world.home.path().join("gone") };
    let failure = world.session(world.machine(gone)).token().await.unwrap_err();
    assert_eq!(failure.name(), Name::ConfigBad);
    assert_eq!(world.server.requests(), 0);
}
