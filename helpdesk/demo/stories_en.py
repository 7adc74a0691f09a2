"""Demo stories told by customers who write English. Plain data in the words of `story`."""

from functools import partial

from helpdesk.demo.story import (
    Story,
    answer,
    answer_escalation,
    ask,
    confirm,
    decline,
    defect,
    escalate,
    hand_over,
    note,
    rate,
    reopen,
    reply,
    resolve,
    restore,
    says,
    send_back,
    tell,
    withdraw,
)

incident = partial(tell, "en", "incident")
consultation = partial(tell, "en", "consultation")
request = partial(tell, "en", "service_request")
wish = partial(tell, "en", "wish", "wish", "")

STORIES: tuple[Story, ...] = (
    # --- Nothing works: priority 1 ---
    incident(
        "web_server",
        "nothing_works",
        "Application pool crashes after moving to {release}: {error}, {users} users locked out",
        "We went to {release} last night with your update guide. Since {time} the application pool "
        "dies every few minutes with {error} and the site answers 503 in between. {users} users are "
        "locked out and the warehouse cannot book dispatches. The process dump and the event log are "
        "attached.",
        reply(
            "{contact}, we have it. Please keep the current process running, we need its state. You will "
            "have a first workaround or the next update from us within 30 minutes."
        ),
        note("Dump shows 89% of the heap in the schema cache. Nothing is evicted while the preload runs."),
        hand_over(
            3,
            "Pool dies with {error} some minutes after start on {release}. Dump attached, schema cache "
            "holds 89% of the heap.",
            "Raised the pool limit from 8 to 16 GB: lives 20 minutes instead of 4.",
            "Which package preloads the schemas, and can the preload be switched off safely?",
        ),
        restore(
            3,
            "Background preload of the customer's reporting package switched off. Logins and bookings "
            "work; the first run of each report is slower.",
        ),
        defect(
            "Schema cache is never evicted while a custom package preloads in the background",
            "1. Update to {release}. 2. Install a package that reads 400 schemas at start. 3. Recycle the "
            "pool and watch its memory.",
            "The cache stays within its limit and memory is level.",
            "Nothing is evicted; the process ends with {error}.",
        ),
        hand_over(
            4,
            "Service is restored by switching the preload off. Reproduced on a clean {release}.",
            "Higher limits and a rollback of the package on a copy: only the switch helps.",
            "Confirm the eviction fault and say when a critical patch can be expected.",
        ),
        reply(
            "{contact}, product engineering confirmed the fault. The fix is in the next critical patch; "
            "until then the preload stays off, which is safe for your data."
        ),
        resolve(
            "Critical patch installed and the preload switched back on. 24 hours under load: memory level "
            "at 5 GB, no restarts."
        ),
        confirm(),
        rate(5, "Confirmed, two full shifts without a hiccup. Fast, calm, and we always knew what came next."),
        deployment="on-site",
        error=["System.OutOfMemoryException", "InsufficientMemoryException", "StackOverflowException"],
        users=["140", "230", "95"],
        time=["6:40", "7:15"],
        weight=0.75,
    ),
    incident(
        "access",
        "nothing_works",
        "Nobody can log in since {time}: {error}",
        "Since {time} every login ends with {error}, in the office and from home. Restarting the site "
        "helped for two minutes. No changes on our side that we know of. We take orders on paper at "
        "the moment, so please treat this as an emergency.",
        reply(
            "{contact}, taken. We are bringing in the system engineers now and will write again within 20 "
            "minutes, with or without a result."
        ),
        hand_over(
            2,
            "All logins fail with {error} since {time}; a restart helps for two minutes.",
            "Service status, session cache, login with a service account: same error.",
            "Check the connection pool and what blocks the session table.",
        ),
        note(
            "Pool exhausted, 100 of 100. Everything waits for one row of the session table, held by an "
            "abandoned import."
        ),
        restore(
            3,
            "The abandoned import was ended, logins work for everybody. Large imports stay disabled "
            "during office hours until the cause is removed.",
        ),
        resolve(
            "The import now commits every 500 rows and no longer holds the session row. Imports during "
            "office hours are enabled again."
        ),
        reopen("Logins froze again for ten minutes at noon, exactly when the import ran."),
        note("Second import profile still has the old setting; not in the list they gave us."),
        resolve(
            "The second import profile has been changed in the same way, and the setting is now the "
            "default for new profiles. Watched over three noon runs: no waiting sessions."
        ),
        confirm(),
        rate(4, "One extra round, but honest about it."),
        error=["HTTP 500.30", "SQL Server timeout expired", "The connection pool has been exhausted"],
        time=["8:05", "9:20", "7:50", "10:40"],
        weight=0.75,
    ),
    incident(
        "database",
        "nothing_works",
        "Everything is read-only: {cause} ({size} GB)",
        "Saving any record ends with an error and the system behaves as if it were read-only: "
        "{cause}. The file is {size} GB now. Our database administrator left last month and nobody "
        "here has done this before. Please guide us, step by step if you can.",
        escalate(
            "We have been standing still for two hours and nobody has called. Please put somebody in charge.",
            "top_management",
        ),
        answer_escalation(
            "You waited longer than we promised, and that is our failure. A named engineer is on the line "
            "with you from now until saving works, and I am following the ticket myself."
        ),
        reply(
            "{contact}, please do not delete any file by hand. Connect a folder with at least {size} GB "
            "of free space and tell us its path; we go on from there together."
        ),
        says("Folder is connected: \\\\nas02\\rescue, 1.5 TB free."),
        restore(
            4, "The log was backed up to the new folder and space inside the file released. Saving works for all users."
        ),
        resolve(
            "Log backups run every 30 minutes, a warning comes at 80%, and a two-page guide for your "
            "future administrator is attached."
        ),
        confirm(),
        rate(3, "Excellent engineer. The first two hours were not."),
        pace="late",
        deployment="on-site",
        cause=["transaction log full", "log drive out of space", "error 9002 on every save"],
        size=["120", "260", "75"],
        weight=0.75,
    ),
    # --- Main functions: priority 2 ---
    incident(
        "access",
        "main",
        "Kerberos SSO fails behind {proxy}: {symptom}",
        "{hello} After switching the reverse proxy to {proxy}, single sign-on no longer works: "
        "{symptom}. Password login works, but most of our people have never set one. The service "
        "principal name was copied from the old machine. Version {release}.",
        ask(
            "{contact}, could you run setspn -L for the service account and send us the output, plus the "
            "proxy's site configuration?"
        ),
        answer("Both attached. The account has two names registered."),
        hand_over(
            2,
            "SSO fails behind {proxy}, {symptom}. SPN list and proxy configuration attached.",
            "Ruled out the browser zone settings and clock drift.",
            "Check the SPN against the proxy's public name.",
        ),
        reply(
            "{contact}, the ticket is issued for the public name, but that name is registered for the old "
            "machine account. Please remove it there and add it to the service account; both commands are "
            "attached."
        ),
        hand_over(
            3,
            "SPN is right now, the ticket is accepted, but the proxy drops the Negotiate header on {proxy}.",
            "Header passed in the site's configuration: ignored by the rewrite rule.",
            "A rewrite rule that keeps the header, without breaking the customer's portal address.",
        ),
        resolve(
            "SPN moved to the service account and the proxy passes the Negotiate header unchanged. Single "
            "sign-on verified on four workstations."
        ),
        confirm(),
        rate(5, "Exactly the two commands we needed."),
        deployment="on-site",
        proxy=["Apache 2.4", "nginx 1.26", "HAProxy 2.8"],
        symptom=["an endless HTTP 401 loop", "login falls back to the form", "error 400, header too long"],
    ),
    incident(
        "database",
        "main",
        "Opening a record in {section} takes {sec} seconds since {since}",
        "Opening any record in {section} takes about {sec} seconds since {since}; lists are fast. Our "
        "agents work from the list for now, but they cannot see history while a customer is on the "
        "phone. Database is 210 GB on SQL Server 2019, {release}.",
        ask("{contact}, please switch on the slow query log for ten minutes (threshold 3000 ms) and send us the file."),
        answer("Attached. The same query shows up 60 times."),
        note("Missing index on the foreign key of the detail, 11 million rows, full scan each time."),
        resolve(
            "Index added online in 6 minutes; records in {section} open in 0.7 seconds. The script is "
            "part of your package and survives updates."
        ),
        confirm(),
        rate(5, "Night and day. Found and fixed within the morning."),
        deployment="on-site",
        section=["Orders", "Contacts", "Cases", "Agreements"],
        sec=["15", "22", "40"],
        since=["Tuesday", "the update", "the weekend"],
    ),
    incident(
        "upgrade",
        "main",
        "Update to {next_release} stops at script {number} of 380 ({operation})",
        "We are rehearsing the update from {release} to {next_release}. Script {number} ({operation}) "
        "has been running for five hours on a table of 26 million rows. Production is still on "
        "{release}, but our window is this weekend and customers have been told. What are our "
        "options?",
        reply(
            "{contact}, that step rebuilds the whole table. On your size it needs the simple recovery "
            "model and twice the table's size in log space. Please check both before the next attempt."
        ),
        says("Both done. Third hour, still on {number}."),
        hand_over(
            3,
            "Script {number} ({operation}) does not finish on 26 million rows, recovery model and log space are right.",
            "Stopped background jobs, raised log size, one retry.",
            "Rewrite the step in batches so that the weekend window holds.",
        ),
        reply(
            "{contact}, the step now copies in batches of 200,000 rows and switches tables at the end. On "
            "your copy the whole update took 4 hours 50 minutes."
        ),
        ask("Please run the corrected set once on your rehearsal system and confirm the window."),
        answer("4 hours 35 minutes. Window confirmed, Saturday from 18:00."),
        resolve("Production updated to {next_release} in 4 hours 40 minutes, check list passed, no deviations."),
        confirm(),
        rate(5, "Somebody was there at midnight. That matters."),
        deployment="on-site",
        number=["118", "214", "309"],
        operation=["ALTER INDEX", "ALTER COLUMN", "history transfer"],
    ),
    incident(
        "integration",
        "main",
        "Order exchange with the web shop answers {code} for {what}",
        "{hello} Since this morning the REST service answers {code} whenever the shop sends {what}. "
        "Other orders pass. We key the failing ones in by hand, which works for today but not for the "
        "season. Request and response are attached.",
        reply(
            "{contact}, reproduced with your sample. The service drops the value before mapping, because "
            "it arrives in an unexpected form."
        ),
        ask("Can the shop send the value as a quoted string? If not, we will convert it in your handler."),
        answer("The shop is frozen until January, so please convert it on your side."),
        hand_over(
            2,
            "{code} for {what}; conversion goes into the customer's handler, agreed with the contact.",
            "Reproduced and fixed on the test system, 1,300 orders without an error.",
            "Install the package on production during the agreed hour and watch the queue.",
        ),
        resolve("Handler installed at 12:10, the waiting 214 orders went through, no errors since."),
        confirm(),
        rate(5, "Nobody told us it was the other side's fault, you just solved it."),
        code=["HTTP 500", "HTTP 400", "HTTP 422"],
        what=[
            "postal codes with a leading zero",
            "gift orders without a price",
            "names with an apostrophe",
            "split deliveries",
        ],
    ),
    incident(
        "process_setup",
        "main",
        'Process "{process}" hangs at "{step}" for {count} records',
        'The process "{process}" has been stopping at "{step}" since Monday; {count} instances '
        "are stuck in Running. We approve by e-mail meanwhile and lose the trail. We have not touched "
        "the process; the system was updated to {release} on Friday.",
        ask("{contact}, please export the process and give us the number of one stuck instance."),
        answer("Export attached, instance PRC-8841."),
        reply(
            "{contact}, the step reads the first record it finds, with no filter on the current one. "
            "Before the update it happened to be the right record."
        ),
        resolve("Filter added, {count} stuck instances resumed from the step. Version 3 of the process is active."),
        confirm(),
        rate(5, "Thank you for explaining why it ever worked."),
        process=["Invoice approval", "Discount approval", "Contract review", "Supplier onboarding"],
        step=["Read data", "Wait for approval", "Notify owner"],
        count=["28", "75"],
    ),
    incident(
        "integration",
        "main",
        "Mail to {mailbox} no longer becomes cases: {symptom}",
        "Mail sent to {mailbox} has not turned into cases since {day}: {symptom}. The messages are in "
        "the mailbox and marked as read. Two colleagues copy them over by hand, 60 so far today.",
        reply(
            "{contact}, the listener connects and then stops at one message, every time the same. We are "
            "moving it aside to let the queue run."
        ),
        defect(
            "The e-mail listener stops at a message whose attachment has no name",
            "1. Send a message with an attachment of type application/ms-tnef and no file name. 2. Wait "
            "for the next poll.",
            "The attachment gets a default name, and after three failures a message goes to quarantine.",
            "ArgumentNullException; the listener begins with the same message for ever.",
        ),
        hand_over(
            4,
            "Queue blocked by one message with a nameless attachment, reproduced on {release}.",
            "Moved the message aside: 60 others arrived within 3 minutes.",
            "Fix the name handling, add the quarantine.",
        ),
        restore(
            4,
            "The message was moved to its own folder, all mail has been turned into cases. A rule on the "
            "mailbox keeps similar messages aside.",
        ),
        resolve("Fix installed and the mailbox rule removed. The nameless attachment arrives as attachment-1.dat."),
        confirm(),
        rate(5, "Queue running in an hour, cause fixed the same week."),
        product="service",
        mailbox=["support@", "claims@", "orders@"],
        symptom=[
            "the queue stands still",
            "the listener restarts every five minutes",
            "each message is read and dropped",
        ],
        day=["Monday", "last night"],
    ),
    incident(
        "access",
        "main",
        "Mobile app on {platform}: {symptom} for field staff",
        "Our field staff ({count} people) cannot use the mobile app on {platform} since its last "
        "update: {symptom}. The browser on the same phone works. They call the office for every "
        "address, so the phones are busy all day.",
        ask("{contact}, please send the app's log from one device: Settings, About, Send log."),
        answer("Sent from two phones, logs 2207 and 2208."),
        hand_over(
            2,
            "{symptom} on {platform}, logs 2207 and 2208.",
            "Reinstall and cache reset: no change. Browser on the phone works.",
            "Check the certificate chain, the log says certificate verify failed.",
        ),
        escalate("{count} people call the office for every address. We need to know when this ends."),
        answer_escalation(
            "You are right to ask. The cause is known, the change on the server is made today before "
            "17:00, and the engineer calls you when it is done."
        ),
        hand_over(
            1,
            "Intermediate certificate was missing, the server sends the full chain now.",
            "Chain checked from outside, our own phone logs in.",
            "Check on two of the customer's phones and close.",
        ),
        resolve(
            "The site did not send its intermediate certificate; browsers fetch it, the app does not. "
            "Added, checked on both phones."
        ),
        confirm(),
        rate(5),
        platform=["Android 15", "iOS 18", "both platforms"],
        symptom=["a blank screen after login", "no synchronisation", '"No connection to the server"'],
        count=["25", "60"],
    ),
    incident(
        "web_server",
        "main",
        "Users are logged out every {minutes} minutes since the second node ({balancer})",
        "We added a second node behind {balancer} on Sunday. Since then people are logged out roughly "
        "every {minutes} minutes. With one node it is stable but too slow for {users} users. Sticky "
        "sessions are on.",
        ask("{contact}, please send web.config of both nodes; we need the machineKey section and the session store."),
        answer("Attached. I see the keys differ now that you ask."),
        resolve(
            "Same machineKey on both nodes and sessions in the shared Redis. Three days without a forced "
            "logout, load split evenly."
        ),
        rate(5, "One question, one answer, solved."),
        deployment="on-site",
        minutes=["5", "10", "15"],
        balancer=["nginx", "HAProxy", "a hardware balancer"],
        users=["180", "300"],
    ),
    incident(
        "import_export",
        "main",
        'Price list import stops at row {row}: "{error}"',
        'Our supplier\'s price list ({size} rows) stops at row {row} with "{error}". New prices are '
        "valid from tomorrow. Loading in small pieces works but takes the whole night. File attached.",
        reply(
            "{contact}, loaded on our side with the same result. Part of the price column is text with a "
            "non-breaking space."
        ),
        resolve(
            "A cleaned file is attached and was imported on your system in full. The macro that cleans "
            "such cells is attached as well."
        ),
        reopen("The import passed, but 31 prices are a hundred times too high."),
        reply(
            "{contact}, those cells use a full stop as decimal separator and our macro took it for "
            "thousands. Correcting now."
        ),
        resolve(
            "31 prices corrected, every row compared with the source file. The macro is fixed; please "
            "discard the first version."
        ),
        confirm(),
        rate(2, "All rows match. We found the wrong prices, not you. The repair was quick."),
        row=["1,204", "388", "7,150", "2,911"],
        error=["Invalid data format", "Input string was not in a correct format"],
        size=["9,000", "21,000"],
    ),
    # --- Auxiliary functions: priority 3 ---
    incident(
        "report_setup",
        "auxiliary",
        'Printable "{form}": {symptom}',
        'The printable "{form}" is wrong: {symptom}. On screen the values are right. We correct it '
        "in Word before it goes out. The template is attached; it was last changed in spring.",
        reply(
            "{contact}, the field sits in the template as plain text, so its format comes from the "
            "system. We are placing it again as a content control."
        ),
        resolve(
            "Template corrected and uploaded, the old one kept with its date in the name. Checked on three records."
        ),
        reopen("Word is right now, the PDF is still wrong."),
        resolve("The print service had cached the old template. Cache cleared; DOCX and PDF are the same."),
        confirm(),
        rate(4, "Please check the PDF first next time."),
        form=["Quotation", "Delivery note", "Service report", "Invoice"],
        symptom=["dates print as MM/DD", "rows after the 50th are missing", "the total has no currency"],
    ),
    incident(
        "report_setup",
        "auxiliary",
        'Dashboard "{board}" shows {symptom}',
        '{hello} The dashboard "{board}" shows {symptom}. The list with the same filter gives other '
        "figures, and we trust the list. The colleague who built it has left.",
        reply(
            "{contact}, the tile has a filter of its own: the owner is your former colleague. You will "
            "find it under Edit, Conditions."
        ),
        says("Found. Without it the figure triples."),
        ask("Then cancelled records are counted too. Should they be left out?"),
        answer("Yes, leave them out."),
        resolve(
            'Owner condition removed, cancelled records excluded. "{board}" equals the list for the last twelve months.'
        ),
        confirm(),
        rate(5),
        board=["Sales today", "Agent load", "Overdue cases", "Leads by source"],
        symptom=["half of the deals", "last year's figures", "zero on weekends"],
    ),
    incident(
        "integration",
        "auxiliary",
        "REST: {method} answers {code} above {load} requests a minute",
        "Our portal reads through your REST service. Above {load} requests a minute {method} answers "
        "{code}. We queue on our side, so data is twenty minutes behind. Keys and addresses are "
        "correct.",
        reply(
            "{contact}, the limit per integration user took effect. It protects your own people, so let "
            "us look at how the calls are made before anything else."
        ),
        note("Every call logs in again: 1,400 logins an hour."),
        ask("Could the portal keep its session and send up to 50 records in one batch? A sample is attached."),
        answer("Our developer needs until Thursday."),
        resolve("One session and batches of 50: a third of the limit in use, data less than a minute behind."),
        confirm(),
        rate(5, "Works as described. Better than raising the limit."),
        method=["GET /rest/orders", "POST /rest/contacts", "PATCH /rest/cases"],
        code=["429", "503", "401"],
        load=["500", "800"],
    ),
    incident(
        "import_export",
        "auxiliary",
        "Importing {what} creates duplicates, key: {key}",
        "Loading the same file of {what} a second time creates duplicates, although the key is {key}. "
        "First load was clean. We have 180 extra records now and merge them by hand.",
        ask("{contact}, please send both files and say how many columns are marked as key."),
        answer("Attached, one column is marked."),
        resolve(
            "The second file has trailing spaces in the key. 180 duplicates merged with links kept, "
            "trimming is switched on in the import profile."
        ),
        confirm(),
        rate(4),
        what=["contacts", "companies", "products", "assets"],
        key=["e-mail", "tax number", "external code"],
    ),
    incident(
        "how_to",
        "auxiliary",
        "Search does not find {what} by {by} after {since}",
        "Global search has not found {what} by {by} since {since}. The record is there when I filter "
        "the list. Everybody is affected, it costs us a few clicks each time.",
        hand_over(
            2,
            "Search misses {what}, list filter finds them, since {since}.",
            "Rebuilt one index from the page: the queue does not move.",
            "Check the search service and its disk.",
        ),
        reply("{contact}, the search service stopped writing: its disk is 97% full. It needs 20 GB more."),
        says("We added 40 GB."),
        hand_over(
            1,
            "Search writes again after the disk was enlarged, rebuild is running.",
            "Warning at 85% set.",
            "Tell the customer when the rebuild is done and let them check.",
        ),
        resolve(
            "Write mode on again, index rebuilt in two hours. {what_up} are found; a warning comes at 85% from now on."
        ),
        confirm(),
        rate(5, "Clear and quick."),
        deployment="on-site",
        cases=("what what_up", [("companies", "Companies"), ("agreements", "Agreements"), ("cases", "Cases")]),
        by=["number", "tax number", "part of the name"],
        since=["the restart", "the weekend"],
    ),
    incident(
        "upgrade",
        "auxiliary",
        "Since {release}: {symptom} in {section}",
        "Since the update to {release}: {symptom} in {section}. Daily work goes on, but the "
        "complaints come every morning. It did not show on our test system, which has little data.",
        ask(
            "{contact}, does it also happen for a user without your customisations? Yes or no, and a "
            "screenshot of the browser console, please."
        ),
        answer("Yes, also there. Screenshot attached."),
        hand_over(
            3,
            "{symptom} in {section} on {release}, also without customisations.",
            "Cache, two browsers, recompiled package.",
            "Confirm that it is the product and find a way around.",
        ),
        send_back("We cannot reproduce it with up to 12 columns. Please find out how many columns their view has."),
        ask("{contact}, one more: how many columns does the view show?"),
        answer("Sixteen."),
        reply(
            "{contact}, up to 12 columns the view is kept, above that it is not. We are handing this to "
            "product engineering; until then please keep it to 12."
        ),
        defect(
            "View settings are lost with more than 12 columns",
            "1. Show 13 columns in a list. 2. Leave and open the section again.",
            "The view is restored from the profile.",
            "The profile is cut at 4000 characters when it is written.",
        ),
        hand_over(
            4,
            "View profile longer than 4000 characters is cut, reproduced on a clean {release}.",
            "12 columns or fewer: not reproduced.",
            "Fix how the profile is written.",
        ),
        resolve("Fixed in a critical patch, which is installed on your system. A view of 18 columns is kept."),
        confirm(),
        rate(4, "Long way round, good end."),
        symptom=["column sets are lost", "sorting is lost", "pinned filters vanish"],
        section=["Deals", "Contacts", "Orders", "Cases"],
    ),
    incident(
        "web_server",
        "auxiliary",
        "Files above {size} MB cannot be attached: {error}",
        "Attaching a file above {size} MB ends with {error}. Smaller ones pass. The system setting "
        "already says 100 MB. We send the big ones by mail, but they should live with the record.",
        reply(
            "{contact}, there are two limits: the setting and the web server. Yours is at its default of "
            "30 MB per request."
        ),
        resolve(
            "maxAllowedContentLength and maxRequestLength are 100 MB now, a file of 84 MB went through. "
            "The values sit in your transform file and survive updates."
        ),
        confirm(),
        rate(5),
        deployment="on-site",
        size=["10", "20", "25", "28"],
        error=["413 Request Entity Too Large", "404.13", '"Upload failed"'],
    ),
    incident(
        "process_setup",
        "auxiliary",
        'Timer process "{process}" {symptom}',
        '"{process}" should start every day at 8:00 our time, but it {symptom}. We start it by hand '
        "when we remember. The timer shows 8:00.",
        reply(
            "{contact}, a timer keeps the time zone of the person who saved the process. It was saved by "
            "an account in Moscow time."
        ),
        resolve("Saved again in your time zone. The run at 8:00 this morning was on time."),
        reopen("On Saturday it ran in the old zone again."),
        note("Second start element for weekends, its own zone."),
        resolve("Both start elements are in your zone. Waited for Saturday: 8:00 sharp."),
        confirm(),
        rate(4),
        process=["Payment reminder", "Daily plan", "Close stale tasks", "Manager's digest"],
        symptom=["starts an hour early", "skips Mondays", "starts twice"],
    ),
    incident(
        "access",
        "auxiliary",
        "Password reset mail does not arrive for {who} ({symptom})",
        "{hello} {who_up} do not receive the password reset mail; it is not in spam. Other mail from "
        "the system arrives. Our administrator resets passwords by hand. In short: {symptom}.",
        ask("{contact}, please send today's outgoing mail log, filtered by Error."),
        answer("It says 535 5.7.8 Authentication failed."),
        resolve("The system mailbox had an expired app password. Renewed; 12 waiting mails went out."),
        confirm(),
        rate(5),
        cases=(
            "who who_up",
            [
                ("new colleagues", "New colleagues"),
                ("portal users", "Portal users"),
                ("contractors", "Contractors"),
                ("the night shift", "People on the night shift"),
            ],
        ),
        symptom=["nothing is sent", "sent a day late"],
    ),
    incident(
        "integration",
        "auxiliary",
        "Calendar sync: meetings {symptom} for {who}",
        "Calendar sync is on for 45 people. For {who} meetings {symptom}. The way back, from the "
        "system to the calendar, is right. People look in two places now.",
        ask("{contact}, could we have two examples with their exact times and the time zone of the mailbox?"),
        answer("Attached. Their mailboxes say UTC."),
        resolve(
            "The zone of the mailboxes is set, and a repeated sync corrected 260 meetings. New mailboxes "
            "get the zone by default."
        ),
        rate(5, "Correct at once."),
        who=["the branch office", "remote colleagues", "part-time staff"],
        symptom=["shift by two hours", "appear twice", "vanish when moved"],
    ),
    incident(
        "database",
        "auxiliary",
        "Nightly backup of {size} GB {symptom}",
        "The nightly backup ({size} GB) {symptom}. Nothing else is affected, but without it we do not "
        "sleep well. We use the maintenance plan from your guide.",
        reply(
            "{contact}, the backup and the integrity check share a window. We suggest moving the check to "
            "Sunday and switching on compression."
        ),
        ask("May the backup start at 1:00, and is there a second machine to try a restore on?"),
        answer("Yes to both."),
        resolve(
            "Compressed backup at 1:00, 35 minutes, a third of the size. The restore on your second "
            "machine was tried and works."
        ),
        confirm(),
        rate(5, "A tested restore without being asked."),
        deployment="on-site",
        size=["90", "210", "480"],
        symptom=["does not finish before work", "ends with error 3041", "cannot be restored"],
    ),
    incident(
        "development",
        "auxiliary",
        'Button "{button}" on the {card} page does nothing since {release}',
        'Since {release} our own button "{button}" on the {card} page does nothing, without any '
        "error. The action is still in the menu. Source attached.",
        reply(
            "{contact}, the base page now has a method of the same name, so yours is never called. Rename "
            "it; the corrected source is attached."
        ),
        says("It works, but fires twice."),
        reply("The old module still subscribes to it. Please remove line 41."),
        resolve(
            "One call per click after the second subscription was removed. A page on naming is attached, "
            "so that the next update does not repeat this."
        ),
        confirm(),
        rate(5),
        button=["Create invoice", "Send for approval", "Copy with items"],
        card=["Deal", "Order", "Case"],
    ),
    incident(
        "how_to",
        "auxiliary",
        'Mailing "{mailing}" has stopped at {percent}%',
        'The mailing "{mailing}" is at {percent}% since yesterday, state Running, 14,000 '
        "recipients. We could send the rest as a second mailing, but nobody must get it twice.",
        reply(
            "{contact}, please do not start it again: recipients are marked and the rest will go by "
            "itself once the hold is lifted."
        ),
        hand_over(
            2,
            "Mailing at {percent}%, the domain's DKIM is not verified.",
            "Compared the DNS record: the key is cut.",
            "Lift the hold once the record is right.",
        ),
        escalate("The campaign was for yesterday. We need a time, not an explanation."),
        answer_escalation(
            "The rest goes out at 15:00 today. If your DNS record is not in place by 14:00, we will send "
            "from the shared domain, with your consent."
        ),
        resolve(
            "DNS record completed by your provider, the remaining mails went out at 15:00. Nobody "
            "received it twice, checked in the log."
        ),
        confirm(),
        rate(3, "A clear time would have been good from the start."),
        pace="late",
        product="marketing",
        mailing=["Autumn terms", "Seminar invitation", "Quality survey", "Price change"],
        percent=["41", "66", "88"],
    ),
    # --- No influence on the work: priority 4 ---
    incident(
        "defect",
        "cosmetic",
        'Report footer of "{report}": {flaw}',
        'The footer of "{report}" has {flaw_a}. The figures are right, but it goes to partners. The '
        "template is the standard one with our logo.",
        reply(
            "{contact}, the footer follows the profile of whoever runs the report. We will make it follow the report."
        ),
        resolve('Language and format are set in the template of "{report}" and no longer depend on the profile.'),
        confirm(),
        rate(4),
        report=["Agreement summary", "Service figures", "Quarter in review"],
        cases=(
            "flaw flaw_a",
            [
                ("MM/DD date format", "a date in MM/DD format"),
                ("no total page count", "no total page count"),
                ("company name in lower case", "our company name in lower case"),
            ],
        ),
    ),
    incident(
        "defect",
        "cosmetic",
        "{place}: {flaw} at {zoom} zoom",
        "A small thing: on the {place_low} {flaw} at {zoom} zoom. It does not hinder work. Please fix "
        "it when convenient. {release}, usual browser, screenshot attached.",
        reply("{contact}, we see the same on a clean {release} and have passed it on with steps."),
        resolve("A style in your package corrects it. It can be removed with {next_release}, where it is fixed."),
        confirm(),
        rate(5, "Nice that small things count too."),
        cases=(
            "place place_low",
            [("Contact page", "contact page"), ("Deal list", "deal list"), ("Totals panel", "totals panel")],
        ),
        flaw=["a label is cut", "buttons overlap"],
        zoom=["125%", "150%"],
    ),
    # --- Consultations ---
    consultation(
        "how_to",
        "",
        "How do we {what} in {section}?",
        "{hello} How do we {what} in {section}? The help describes an older version; we are on "
        "{release}. If it needs development, please say so at once.",
        reply(
            "{contact}, no development needed. Open {section}, View, Customise; the four steps are on the "
            "attached screenshots."
        ),
        says("I see it, my colleagues do not."),
        resolve('Use "Save for everybody"; you have the right to. The article for {release} is linked above.'),
        confirm(),
        rate(5, "Within the hour, with pictures."),
        what=[
            "pin a filter for the whole team",
            "add totals to a column",
            "group records by owner",
            "colour rows by state",
        ],
        section=["Deals", "Invoices", "Cases"],
    ),
    consultation(
        "integration",
        "",
        "Exchange with our {system}, {count} records a day: {options}?",
        "We are planning an exchange with our {system}, about {count} records a day with a peak in "
        "the morning. Candidates: {options}. We would like advice before the contractor writes code.",
        ask("{contact}, does anything need an answer at once, or is every five minutes enough?"),
        answer("Stock levels at once, the rest every five minutes."),
        resolve(
            "Batched REST every five minutes and one webhook for stock. Sample request, table of answers "
            "and a load estimate are attached."
        ),
        rate(5, "Saved us a wrong start."),
        options=["REST, OData or files", "webhooks or polling", "direct or through a bus"],
        system=["warehouse system", "web shop", "accounting system"],
        count=["5,000", "40,000"],
    ),
    consultation(
        "access",
        "",
        "Access by role: {who} should see {what}",
        "{who_up} should see {what} and nothing else. Everybody has one role today. How is this done "
        "so that it holds for every new colleague?",
        reply(
            "{contact}, by organisational roles: the right belongs to the department's role and a new "
            "colleague gets it by joining. Please avoid personal rights."
        ),
        resolve("A role scheme for your departments, the order of rules and a plan for the change are attached."),
        confirm(),
        rate(5, "Introduced, works."),
        cases=(
            "who who_up",
            [
                ("branches", "Branches"),
                ("partners", "Partners"),
                ("team leads", "Team leads"),
                ("trainees", "Trainees"),
            ],
        ),
        what=["their own records", "their department's records", "everything but amounts"],
    ),
    consultation(
        "installation",
        "",
        "Server sizing for {release}: {users} users, {size} GB",
        "We are buying servers for {release}: {users} users, database {size} GB, growing by a third a "
        "year. Reports on their own machine. Memory, cores and disks with two years' reserve, please.",
        ask("{contact}, how many work at once at peak, and will search have its own machine?"),
        answer("70%, and yes."),
        resolve(
            "Sizing table with reserve and a check list before go-live attached. We are glad to look at "
            "the supplier's offer before you sign."
        ),
        confirm(),
        rate(5, "Our supplier's offer was twice too big."),
        deployment="on-site",
        users=["80", "150", "300", "500"],
        size=["60", "200", "450"],
    ),
    consultation(
        "process_setup",
        "",
        "Rule or process: how to {what}?",
        "We want to {what}. It could be a business rule or a process, about {count} records a day. "
        "What do you advise, given that we maintain it ourselves?",
        reply(
            "{contact}, a rule where one page is concerned, a process where somebody waits or a second person decides."
        ),
        says("Above 10,000 a manager decides."),
        resolve(
            "Split it: the rule checks and shows, the process starts above the threshold. The scheme is "
            "attached; the threshold is a setting."
        ),
        rate(5, "A good answer and the reason for it."),
        what=[
            "control discounts",
            "check credit limits",
            "remind of renewals",
            "demand an attachment",
            "stop duplicate orders",
            "route returns",
            "confirm large quotations",
            "block expired suppliers",
        ],
        count=["100", "600"],
    ),
    # --- Service requests ---
    request(
        "service_request",
        "",
        "Distribution of {release} and {what}",
        "{hello} Please send us the link to the distribution of {release} and {what}. It is for our test system.",
        reply(
            "{contact}, the link is valid for 7 days and opens with your portal account. Check sums are "
            "in the same mail."
        ),
        resolve("Distribution and documents delivered. If you need the link longer, just answer here."),
        confirm(),
        rate(5, "Downloaded, sums match."),
        what=[
            "the update guide",
            "the list of changes",
            "the database scripts",
            "the server requirements",
            "the REST reference",
            "the test kit",
            "the virtual machine image",
            "the help package",
        ],
    ),
    request(
        "service_request",
        "",
        "New licence file: {reason} ({ident})",
        "Please issue our licence file again because of {reason}. Same licences, new installation id "
        "{ident}. We need it by the end of the week.",
        ask("{contact}, may the old installation stop after 14 days? It will not start afterwards."),
        answer("Yes, it goes off on Friday."),
        resolve(
            "Licence file for {ident} attached; load it in the licence manager. The old one is valid for 14 more days."
        ),
        confirm(),
        rate(5, "Same day."),
        deployment="on-site",
        reason=["a new server", "a new domain", "a split of test and production"],
        ident=["7B20-11", "C4E9-53", "19AF-86"],
    ),
    request(
        "remote_connection",
        "",
        "Remote session: {what}, {when}",
        "Please connect with us and look at {what}. {when_up} suits us, our time. Our administrator "
        "will be there throughout.",
        reply(
            "{contact}, confirmed. The link comes ten minutes before; your administrator reads out the session code."
        ),
        resolve("Session of 35 minutes, two settings corrected by your administrator. Summary attached."),
        confirm(),
        rate(5, "You explained and let us do it. Right way round."),
        what=["the mailbox settings", "the search service", "the exchange log", "the telephony settings"],
        cases=(
            "when when_up",
            [
                ("today after 14:00", "Today after 14:00"),
                ("tomorrow at 10:00", "Tomorrow at 10:00"),
                ("Thursday morning", "Thursday morning"),
            ],
        ),
    ),
    request(
        "service_request",
        "",
        "Test system from a copy of production for {what}, by {when}",
        "Please set up a test system from a copy of production; we need it for {what}, by {when}. "
        "Personal data should be made anonymous. Five people at most.",
        ask("{contact}, should mail and exchange be switched off there? We advise it."),
        answer("Yes, both off."),
        resolve(
            "The test system is ready, address and login went to you personally. Mail and exchange are "
            "off, data anonymous, it lives for 60 days."
        ),
        confirm(),
        rate(5),
        deployment="on-demand",
        what=["checking our changes", "training", "trying the update"],
        when=["Friday", "the end of the month", "Tuesday"],
    ),
    # --- Wishes ---
    wish(
        "Wish: {what} in {section}",
        "Our people keep asking for {what} in {section}. We work around it with a report, one more "
        "click on hundreds of records a day. We know it takes time; please record it and tell us what "
        "becomes of it.",
        reply("{contact}, recorded with your description. Two more companies ask for the same, which moves it up."),
        ask("Where would it help more: in the list or on the page?"),
        answer("In the list."),
        resolve("The wish has gone to the product owner. You will hear from us with a yes or a no."),
        rate(4, "Honest about when."),
        what=["bulk change of owner", "colour tags", "a quick filter by tag", "two-level sorting"],
        section=["Cases", "Deals", "Agreements"],
    ),
    # --- Outside support ---
    incident(
        "access",
        "auxiliary",
        "The {branch} office is slow: {symptom}",
        "{hello} In the {branch} office everything in your system is slow: {symptom}. Elsewhere it is "
        "fine. We changed the provider last week. Could you look at the router with us?",
        ask("{contact}, please open Diagnostics from that office and send us the result."),
        answer("Loss 16%, 800 ms. The same to our own head office."),
        decline(
            "The loss is between the branch and your head office, before our servers. Networks are not "
            "part of support (condition 1.7.2 of the contract). The measurements are attached; with them "
            "your provider will find the spot sooner."
        ),
        branch=["northern", "harbour", "airport"],
        symptom=["a minute for each page", "it drops every half hour", "attachments never finish"],
    ),
    request(
        "remote_connection",
        "",
        "Set up {what} on {where}",
        "Please connect and set up {what} on {where}. Your system works, but this would make it more "
        "pleasant. If it costs extra, tell us how much.",
        decline(
            "This is not part of our system and not part of support (condition 1.7.2 of the contract), "
            "also not as a paid service. If it is needed to work with our system, describe what you want "
            "to reach and we will name the requirements and ports."
        ),
        what=["a shared printer", "the antivirus", "the mail client"],
        where=["twelve workstations", "the terminal server", "our field laptops"],
    ),
    request(
        "network_os",
        "",
        "Please reinstall {what} on {count} computers",
        "We are replacing {what} on {count} computers and would like you to do it remotely. Data is saved.",
        what=["the operating system", "the office suite"],
        count=["6", "14", "30"],
    ),
    incident(
        "how_to",
        "auxiliary",
        "Mail from the {card} page is not sent ({symptom})",
        "Mail from the {card} page is not sent: {symptom}. The same mailbox works in the mail client. "
        "Three people today.",
        reply("{contact}, taken, we are reading the outgoing log of the three."),
        withdraw("Found it ourselves: their domain passwords had expired. Thank you for starting so fast."),
        card=["Contact", "Deal", "Agreement"],
        symptom=["it stays at Sending", "mailbox not found", "it leaves without a subject"],
    ),
)
