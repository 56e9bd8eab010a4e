//! What every command starts from: directories, secrets of the environment, and from these a target, its
//! store and its session.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;

use super::ui::Ui;
use super::{Global, TargetArgs};
use crate::credential::Client;
use crate::error::{Error, Name, Result};
use crate::paths::Paths;
use crate::profile::{BasicEncoding, Choices, Target};
use crate::session::{Account, Machine, Session};
use crate::store::{self, Settings, Store, index};

/// The secrets that come in from outside.
#[derive(Default, Clone)]
pub(super) struct Secrets {
    pub(super) passphrase: Option<SecretString>,
    pub(super) client_secret: Option<SecretString>,
    pub(super) idp_secret: Option<SecretString>,
}

/// The common ground of the commands.
pub(super) struct Context<'a> {
    pub(super) global: Global,
    pub(super) paths: Paths,
    pub(super) ui: &'a Ui,
    pub(super) secrets: Secrets,
}

/// How long a keychain may take before a prompt is suspected.
const PROMPT: Duration = Duration::from_secs(2);
/// The longest passphrase file, in bytes.
const PASSPHRASE_LIMIT: usize = 4096;

impl<'a> Context<'a> {
    pub(super) fn new(global: Global, ui: &'a Ui) -> Result<Self> {
        match Context::without_passphrase(global, ui)? {
            (context, None) => Ok(context),
            (_, Some(error)) => Err(error),
        }
    }

    /// The same, and what is wrong with the passphrase's file, if something is: there is much to look at
    /// without it.
    pub(super) fn without_passphrase(global: Global, ui: &'a Ui) -> Result<(Self, Option<Error>)> {
        let text = |name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(SecretString::from);
        let (passphrase, trouble) = match text("CHIPP_AUTH_PASSPHRASE") {
            Some(passphrase) => (Some(passphrase), None),
            None => match std::env::var_os("CHIPP_AUTH_PASSPHRASE_FILE").map(|path| read(Path::new(&path))) {
                Some(Err(error)) => (None, Some(error)),
                read => (read.and_then(Result::ok), None),
            },
        };
        let secrets = Secrets {
            passphrase,
            client_secret: text("CHIPP_AUTH_CLIENT_SECRET"),
            idp_secret: text("CHIPP_AUTH_IDP_CLIENT_SECRET"),
        };
        Ok((Context { global, paths: Paths::find()?, ui, secrets }, trouble))
    }

    /// The target that the arguments mean. `--account` takes the name that the account has at its provider,
    /// too.
    pub(super) fn target(&self, args: &TargetArgs) -> Result<Target> {
        self.target_over(args, false)
    }

    /// The same; with `allow_http` it may be reached without encryption.
    pub(super) fn target_over(&self, args: &TargetArgs, allow_http: bool) -> Result<Target> {
        let choices = Choices {
            allow_http,
            account: self.global.account.clone(),
            client_secret: self.secrets.client_secret.clone(),
            ..args.choices()?
        };
        let mut target = Target::resolve(args.target.as_deref(), &self.paths.config, choices)?;
        if self.global.account.is_some()
            // A list that cannot be read is reported by whoever needs it.
            && let Ok(Some(account)) = index::by_identity(&self.paths, &target.key())
        {
            target.account = account.account;
        }
        Ok(target)
    }

    /// The store of a target: the one asked for, or the one it is bound to, or
    /// the one that its profile names, or the keychain. Never another
    /// one because this one fails (DESIGN decision 2).
    pub(super) fn store(&self, target: &Target) -> Result<Store> {
        let kind = match self.global.store {
            Some(kind) => kind.into(),
            None => {
                let pinned = index::pinned(&self.paths, &target.key())?;
                pinned.or(target.store).unwrap_or(store::Kind::Keychain)
            }
        };
        Ok(self.open(kind))
    }

    /// The store for a command that uses a sign-in. Where none is kept and none is needed, because a machine
    /// can get tokens at any time, they stay in memory: a CI job has no keychain, and leaves nothing behind.
    pub(super) fn working_store(&self, target: &Target) -> Result<Store> {
        if self.global.store.is_none() && target.grant.is_repeatable() {
            // Without a directory of its own it has no list either: that is no trouble here.
            let kept = index::pinned(&self.paths, &target.key()).ok().flatten();
            return Ok(kept.map_or_else(Store::memory, |kind| self.open(kind)));
        }
        self.store(target)
    }

    /// Gives the target the secret of its client that is kept in the store, if the user did not name another.
    /// Only for who is about to ask for tokens: a record has its client's secret in itself.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn add_secret(&self, target: &mut Target, store: &Store) -> Result<()> {
        if target.client_secret.is_some() || target.client_key.is_some() || !store.is_shared() {
            return Ok(());
        }
        let Some(key) = target.secret_key() else { return Ok(()) };
        let own = target.store.map(|kind| self.open(kind));
        let store = own.as_ref().unwrap_or(store);
        target.client_secret =
            self.patiently(store, store.secret(&key)).await.map_err(|error| target.mark(error))?;
        Ok(())
    }

    /// The same for a target that signs in without a person, for commands that may have to do that by themselves.
    /// Its tokens may be in memory only ([`Context::working_store`]); its secret is where the user put it.
    ///
    /// # Errors
    /// Those of the store. Where there is no keychain there is no secret in it either, and not every grant
    /// needs one.
    pub(super) async fn add_machine_secret(&self, target: &mut Target) -> Result<()> {
        let profile = target.typed.as_deref().is_some_and(|typed| !typed.contains("://"));
        let has = target.client_secret.is_some() || target.client_key.is_some();
        if has || !target.grant.is_repeatable() || !profile {
            return Ok(());
        }
        let store = self.store(target)?;
        match self.add_secret(target, &store).await {
            Err(error) if error.name() == Name::KeychainMissing && self.global.store.is_none() => Ok(()),
            outcome => outcome,
        }
    }

    /// A store of a kind.
    pub(super) fn open(&self, kind: store::Kind) -> Store {
        let passphrase = self.secrets.passphrase.clone();
        Store::open(Settings { kind, passphrase, interactive: Ui::interactive() }, &self.paths)
    }

    /// Does something with a store that may ask the person for a password, and says so if it takes a while:
    /// the prompt may be behind a window (S3).
    pub(super) async fn patiently<T>(&self, store: &Store, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        if store.prompt_limit().is_some() && Ui::interactive() {
            match tokio::time::timeout(PROMPT, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.ui.note("Waiting for the keychain; an unlock prompt may be open."),
            }
        }
        work.await
    }

    /// The session of a target over a store.
    pub(super) fn session(&self, target: &Target, store: Store) -> Result<Session> {
        let key = target.key();
        let lock = match store.is_shared() {
            true => Some(self.paths.private("locks")?.join(format!("{}.lock", key.slug()))),
            false => None,
        };
        let account = Account {
            lock,
            key,
            origin: target.url.origin().ascii_serialization(),
            typed: target.again(),
            named: target.named(),
            hosts: target.hosts.clone(),
            token_types: target.token_types.clone(),
            name: target.title(),
            provider: target.provider().map(str::to_owned),
            no_refresh: target.preset.and_then(|preset| preset.no_refresh.clone()),
            refresh_lifetime: target.refresh_lifetime,
            names_token_type: target.names_token_type,
            machine: target.grant.is_repeatable().then(|| self.machine(target)).transpose()?,
        };
        Ok(Session::new(account, store))
    }

    /// How a target is signed in to without a person.
    fn machine(&self, target: &Target) -> Result<Machine> {
        let metadata = || target.client_metadata.as_ref().map(ToString::to_string);
        let id = target.client_id.clone().or_else(metadata).ok_or_else(|| {
            Error::new(Name::Usage, "a sign-in without a person needs a client that the server knows")
                .hinted("give its id with --client-id, and its secret with CHIPP_AUTH_CLIENT_SECRET or its key with --client-key")
        })?;
        Ok(Machine {
            known: target.known(),
            client: Client {
                id,
                secret: target.client_secret.clone(),
                key: target.client_key.clone(),
                idp_secret: self.secrets.idp_secret.clone(),
                raw_basic: target.basic == BasicEncoding::Raw,
                token_params: target.token_params.clone(),
                ..Client::default()
            },
            style: target.named_style(),
            grant: target.grant.clone(),
            scope: target.scope.clone(),
            dpop: target.dpop,
            origins: target.origins.clone(),
        })
    }
}

/// The first line of the passphrase file.
fn read(path: &Path) -> Result<SecretString> {
    use std::io::Read;
    let unreadable = |why: String| {
        Error::new(Name::ConfigBad, format!("CHIPP_AUTH_PASSPHRASE_FILE cannot be used: {why}"))
            .hinted("give the path of a file that contains the passphrase as its first line")
    };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    let limit = PASSPHRASE_LIMIT as u64;
    file.take(limit).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.into()),
        _ => Err(unreadable("its first line is empty".to_owned())),
    }
}
