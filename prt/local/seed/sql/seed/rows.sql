-- A touring season in the spring of a small production company, and one production of a competitor.
-- Ids are 5eed0000-00TT-4000-8000-N: TT is the number of the table, N that of the row, both in hexadecimal.
-- The setting `prt.member` contains the member's id.

create or replace function pg_temp.seeded(relation text, number bigint) returns uuid language sql immutable as $$
  select format('5eed0000-00%s-4000-8000-%s',
    lpad(to_hex(array_position(array[
      'organizations', 'workspaces', 'user_roles', 'activities', 'comments', 'user_presence', 'notifications',
      'productions', 'project_tasks', 'project_milestones', 'events', 'run_of_show', 'bookings', 'incidents',
      'personnel', 'teams', 'time_entries', 'assets', 'asset_transactions', 'locations', 'files', 'companies',
      'budgets', 'financial_transactions', 'invoices', 'purchase_orders', 'approval_requests',
      'community_posts', 'connections', 'marketplace_orders'
    ], relation)), 2, '0'),
    lpad(to_hex(number), 12, '0'))::uuid
$$;

-- Returns a number wrapped into 1 … size, so that references are to existing rows.
create or replace function pg_temp.wrap(number bigint, size bigint) returns bigint language sql immutable as
  'select (number - 1) % size + 1';

insert into public.organizations (id, name, slug, plan, billing_email, settings) values
  (pg_temp.seeded('organizations', 1), 'Northlight Productions', 'northlight', 'business',
    'accounts@northlight.example', '{"locale": "en-GB", "fiscal_year_start": 1}'),
  (pg_temp.seeded('organizations', 2), 'Harbour & Sons Live', 'harbour-sons', 'team',
    'office@harbour.example', '{"locale": "en-IE", "fiscal_year_start": 4}');

insert into public.workspaces (id, organization_id, name, slug, timezone, currency, settings, created_at) values
  (pg_temp.seeded('workspaces', 1), pg_temp.seeded('organizations', 1), 'Spring Season', 'spring-season',
    'Europe/Stockholm', 'EUR', '{"board": ["todo", "in_progress", "review", "done"]}', now() - interval '90 days'),
  (pg_temp.seeded('workspaces', 2), pg_temp.seeded('organizations', 2), 'Touring', 'touring',
    'Europe/Dublin', 'EUR', '{}', now() - interval '60 days');

insert into public.user_roles (id, workspace_id, user_id, role, permissions) values
  (pg_temp.seeded('user_roles', 1), pg_temp.seeded('workspaces', 1), current_setting('prt.member')::uuid,
    'owner', '{budgets.approve,crew.manage,show.call}');

insert into public.locations (id, workspace_id, name, type, city, country, latitude, longitude, capacity, amenities)
select pg_temp.seeded('locations', n), pg_temp.seeded('workspaces', 1), name, type, city, country, latitude,
  longitude, capacity, string_to_array(amenities, ',')
from (values
  (1, 'Kungsparken Main Stage', 'outdoor', 'Malmö', 'SE', 55.604981, 12.994720, 18000, 'power,water,camping'),
  (2, 'Kungsparken Tent', 'outdoor', 'Malmö', 'SE', 55.605412, 12.996105, 2500, 'power,blackout'),
  (3, 'Victoriateatern', 'theatre', 'Malmö', 'SE', 55.605297, 13.000157, 380, 'fly tower,dressing rooms'),
  (4, 'Filadelfia', 'hall', 'Stockholm', 'SE', 59.340832, 18.042210, 1100, 'loading dock,dressing rooms'),
  (5, 'Den Grå Hal', 'hall', 'København', 'DK', 55.675310, 12.600420, 1500, 'loading dock'),
  (6, 'Sentrum Scene', 'club', 'Oslo', 'NO', 59.915210, 10.751870, 1750, 'loading dock,house PA'),
  (7, 'Kulttuuritalo', 'hall', 'Helsinki', 'FI', 60.188920, 24.945190, 1400, 'house PA,organ'),
  (8, 'Warehouse Limhamn', 'storage', 'Malmö', 'SE', 55.582240, 12.930610, null, 'forklift,charging'),
  (9, 'Rehearsal Room B', 'rehearsal', 'Malmö', 'SE', 55.593110, 13.021850, 40, 'backline,kitchen')
) as seed (n, name, type, city, country, latitude, longitude, capacity, amenities);

insert into public.companies (id, workspace_id, name, type, email, phone, rating, tags)
select pg_temp.seeded('companies', n), pg_temp.seeded('workspaces', 1), name, type,
  'hello@' || slug || '.example', '+46 40 55 01 ' || lpad(n::text, 2, '0'), rating, string_to_array(tags, ',')
from (values
  (1, 'Öresund Sound & Light', 'oresund', 'vendor', 4.7, 'audio,lighting'),
  (2, 'Pylon Rigging', 'pylon', 'vendor', 4.5, 'rigging,safety'),
  (3, 'Greengrid Power', 'greengrid', 'vendor', 4.1, 'power,battery'),
  (4, 'Malmö Stad Kultur', 'malmo-kultur', 'client', 4.8, 'public,festival'),
  (5, 'Kitchen on Wheels', 'kow', 'vendor', 4.3, 'catering'),
  (6, 'Nightliner Coaches', 'nightliner', 'vendor', 3.9, 'transport'),
  (7, 'Silver Birch Artists', 'silverbirch', 'agency', 4.4, 'artists'),
  (8, 'Pixelwall Nordic', 'pixelwall', 'vendor', 4.0, 'video,led'),
  (9, 'Fanfare Merch', 'fanfare', 'vendor', 4.2, 'merchandise'),
  (10, 'Vakt & Värd', 'vakt', 'vendor', 4.6, 'security,stewards'),
  (11, 'Rödräv Records', 'rodrav', 'client', 4.5, 'label'),
  (12, 'Baltic Freight', 'balticfreight', 'vendor', 3.8, 'freight,customs')
) as seed (n, name, slug, type, rating, tags);

insert into public.productions
  (id, workspace_id, name, code, type, status, description, location_id, client_id, start_date, end_date, tags, details)
select pg_temp.seeded('productions', n), pg_temp.seeded('workspaces', 1), name, code, type,
  status::public.production_status, description, pg_temp.seeded('locations', location),
  pg_temp.seeded('companies', client), current_date + starts_in, current_date + starts_in + days,
  array[type, lower(split_part(name, ' ', 1))], jsonb_build_object('expected_audience', audience, 'crew_size', 6 + n)
from (values
  (1, 'Kungsparken Festival', 'KPF', 'festival', 'live', 'Three days, two stages, 42 acts', 1, 4, 0, 3, 18000),
  (2, 'Sable & The Tide: Nordic Tour', 'SAB', 'tour', 'live', 'Five cities in nine days', 4, 11, -2, 9, 6400),
  (3, 'Hamlet in the Harbour', 'HAM', 'theatre', 'pre_production', 'Open-air, fourteen nights', 3, 4, 12, 14, 5300),
  (4, 'Winter Light Opera', 'WLO', 'opera', 'planning', 'A chamber opera in two acts', 3, 4, 40, 6, 2200),
  (5, 'Rödräv Label Night', 'RLN', 'concert', 'pre_production', 'Four acts, one night', 5, 11, 6, 1, 1500),
  (6, 'Øyafjord Sessions', 'OYF', 'recording', 'live', 'Live album with audience', 6, 7, -1, 2, 600),
  (7, 'Helsinki Choir Week', 'HCW', 'concert', 'planning', 'Nine choirs and one organ', 7, 4, 25, 7, 8200),
  (8, 'Product Launch: Vela E4', 'VEL', 'corporate', 'pre_production', 'Keynote, stream, dinner', 4, 8, 9, 1, 900),
  (9, 'Children''s Parade', 'CHP', 'community', 'planning', 'From the library to the park', 1, 4, 18, 1, 4000),
  (10, 'Midnight Cinema', 'MNC', 'film', 'wrap', 'Six films under the stars', 2, 4, -12, 6, 3100),
  (11, 'Tent of Small Wonders', 'TSW', 'circus', 'live', 'Contemporary circus', 2, 7, -4, 10, 9800),
  (12, 'Harvest Gala', 'HGA', 'corporate', 'archived', 'Fundraiser for the old theatre', 3, 4, -60, 1, 380)
) as seed (n, name, code, type, status, description, location, client, starts_in, days, audience);

insert into public.productions (id, workspace_id, name, code, type, status, start_date)
values (pg_temp.seeded('productions', 13), pg_temp.seeded('workspaces', 2), 'Ring Road Tour', 'RRT', 'tour',
  'planning', current_date + 30);

insert into public.teams (id, workspace_id, production_id, name, department, color, radio_channel)
select pg_temp.seeded('teams', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 3)), name, department, color, n
from (values
  (1, 'Stage', 'stage', '#0ea5e9'), (2, 'Audio', 'audio', '#22c55e'), (3, 'Lighting', 'lighting', '#eab308'),
  (4, 'Video', 'video', '#a855f7'), (5, 'Site & Safety', 'site', '#ef4444'), (6, 'Artist Care', 'hospitality', '#f97316')
) as seed (n, name, department, color);

insert into public.personnel
  (id, workspace_id, team_id, user_id, name, email, role, day_rate, skills, certifications)
select pg_temp.seeded('personnel', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('teams', team),
  case n when 1 then current_setting('prt.member')::uuid end, name,
  lower(split_part(name, ' ', 1)) || '@northlight.example', role, rate, string_to_array(skills, ','),
  case when n % 3 = 0 then '[{"name": "Working at height", "valid": true}]' else '[]' end::jsonb
from (values
  (1, 'Maya Lindqvist', 1, 'production manager', 620, 'planning,show calling'),
  (2, 'Ines Okafor', 1, 'stage manager', 480, 'show calling'),
  (3, 'Tomasz Wilk', 1, 'rigger', 410, 'rigging,forklift'),
  (4, 'Aiko Berg', 2, 'front of house engineer', 520, 'mixing,system tuning'),
  (5, 'Samuel Ndiaye', 2, 'monitor engineer', 490, 'mixing,radio'),
  (6, 'Freja Holm', 2, 'audio technician', 340, 'patching'),
  (7, 'Luca Moretti', 3, 'lighting designer', 560, 'design,programming'),
  (8, 'Hanna Virtanen', 3, 'lighting operator', 430, 'programming'),
  (9, 'Ole Kristiansen', 3, 'electrician', 390, 'power,rigging'),
  (10, 'Priya Raman', 4, 'video director', 540, 'switching,streaming'),
  (11, 'Björn Åkesson', 4, 'led technician', 380, 'led,power'),
  (12, 'Marta Silva', 5, 'site manager', 510, 'permits,logistics'),
  (13, 'Jonas Weber', 5, 'safety officer', 500, 'first aid,evacuation'),
  (14, 'Amina Yusuf', 5, 'steward lead', 290, 'crowd'),
  (15, 'Elsa Nyström', 6, 'artist liaison', 360, 'travel,hospitality'),
  (16, 'Dmitri Petrov', 6, 'driver', 260, 'driving,loading'),
  (17, 'Noor Haddad', 6, 'caterer', 280, 'kitchen'),
  (18, 'Kai Laurent', 1, 'backline technician', 350, 'guitars,drums')
) as seed (n, name, team, role, rate, skills);

insert into public.project_milestones (id, workspace_id, production_id, title, status, due_date, reached_at, position)
select pg_temp.seeded('project_milestones', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)),
  (array['Permits granted', 'Load-in complete'])[1 + (n - 1) / 12],
  case when n % 4 = 0 then 'reached' when n % 7 = 0 then 'at_risk' else 'upcoming' end::public.milestone_status,
  current_date + (n * 2 - 10)::integer, case when n % 4 = 0 then now() - make_interval(days => n::integer) end, (n - 1) / 12
from generate_series(1, 24) as n;

insert into public.project_tasks
  (id, workspace_id, production_id, milestone_id, title, status, priority, assignee_id, due_date, estimate_hours,
   position, labels, checklist, completed_at)
select pg_temp.seeded('project_tasks', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), pg_temp.seeded('project_milestones', pg_temp.wrap(n, 24)),
  title, status, (enum_range(null::public.task_priority))[1 + n % 4],
  pg_temp.seeded('personnel', pg_temp.wrap(n * 5, 18)), current_date + (n % 15 - 3)::integer, 1 + n % 7 * 1.5, n,
  array['dept:' || (array['stage', 'audio', 'lighting', 'video', 'site', 'hospitality'])[1 + n % 6]],
  jsonb_build_array(jsonb_build_object('text', 'Checked on site', 'done', status = 'done')),
  case status when 'done' then now() - make_interval(hours => n::integer) end
from (
  select n, title, (enum_range(null::public.task_status))[1 + (n / 3) % 4] as status
  from unnest(array[
    'Confirm stage plot with headliner', 'Advance Oslo load-in times', 'Choose the ghost''s entrance',
    'Book orchestra pit piano', 'Sign four artist contracts', 'Place audience microphones',
    'Tune the organ', 'Rehearse keynote with autocue', 'Close Regementsgatan to traffic',
    'Return projector to rental', 'Inspect trapeze anchor points', 'Send thank-you letters',
    'Print laminate passes', 'Rebook the Helsinki ferry', 'Fit harbour water safety boats',
    'Draft surtitles', 'Agree set lengths with label', 'Backup of yesterday''s multitrack',
    'Seat plan for nine choirs', 'Test stream to the overseas office', 'Find forty stewards',
    'Settle film licences', 'Second rehearsal with live band', 'Archive photographs',
    'Lay cable ramps at gate C', 'Replace the bus air filter', 'Costume fitting for Ophelia',
    'Cast the second tenor', 'Order backline for four acts', 'Mix rough of side A',
    'Translate choir programme', 'Menu for the launch dinner', 'Insure the dragon float',
    'Count deck chairs', 'Wash the ring carpet', 'Close the books',
    'Weather plan for Saturday', 'Customs papers for Norway', 'Night test of the fog machine',
    'Read-through with the conductor', 'Door list for the label', 'Tape splice lesson for interns',
    'Hotel for the Tartu choir', 'Check confidence monitors', 'Brief the brass bands',
    'Write the final report', 'Safety net renewal', 'Return the borrowed chandelier'
  ]) with ordinality as seed (title, n)
) as tasks;

insert into public.events
  (id, workspace_id, production_id, location_id, title, type, status, doors_at, starts_at, ends_at, capacity, tickets_sold)
select pg_temp.seeded('events', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('productions', production),
  pg_temp.seeded('locations', location), title, type, status, begins - interval '1 hour', begins,
  begins + interval '3 hours', capacity, sold
from (
  select *, date_trunc('day', now()) + make_interval(days => days, hours => hour) as begins
  from (values
    (1, 1, 1, 'Festival, day one', 'show', 'live', 0, 15, 18000, 16210),
    (2, 1, 1, 'Festival, day two', 'show', 'scheduled', 1, 15, 18000, 17884),
    (3, 1, 2, 'Festival, day three', 'show', 'scheduled', 2, 15, 18000, 14022),
    (4, 2, 4, 'Sable & The Tide, Stockholm', 'show', 'finished', -2, 20, 1100, 1100),
    (5, 2, 6, 'Sable & The Tide, Oslo', 'show', 'scheduled', 1, 20, 1750, 1512),
    (6, 2, 7, 'Sable & The Tide, Helsinki', 'show', 'scheduled', 4, 20, 1400, 985),
    (7, 3, 3, 'Hamlet, technical rehearsal', 'rehearsal', 'scheduled', 9, 10, 40, 0),
    (8, 3, 3, 'Hamlet, opening night', 'show', 'scheduled', 12, 21, 380, 377),
    (9, 5, 5, 'Label Night', 'show', 'scheduled', 6, 19, 1500, 1203),
    (10, 6, 6, 'Session with audience', 'recording', 'live', 0, 18, 600, 588),
    (11, 8, 4, 'Vela E4 keynote', 'corporate', 'scheduled', 9, 11, 900, 0),
    (12, 11, 2, 'Small Wonders, matinee', 'show', 'scheduled', 0, 14, 2500, 1904),
    (13, 11, 2, 'Small Wonders, evening', 'show', 'scheduled', 0, 20, 2500, 2411),
    (14, 7, 7, 'Choir Week, opening', 'show', 'scheduled', 25, 18, 1400, 321)
  ) as seed (n, production, location, title, type, status, days, hour, capacity, sold)
) as dated;

insert into public.run_of_show
  (id, workspace_id, production_id, event_id, position, cue, title, department, status, duration, planned_at)
select pg_temp.seeded('run_of_show', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('productions', 1),
  pg_temp.seeded('events', 1), n, 'Q' || lpad(n::text, 2, '0'), title, department, 'pending',
  make_interval(mins => minutes::integer),
  date_trunc('day', now()) + interval '15 hours' + make_interval(mins => (n * 12)::integer)
from (values
  (1, 'Doors', 'site', 30), (2, 'House lights to half', 'lighting', 1), (3, 'Welcome from the mayor', 'stage', 5),
  (4, 'Opening act: Lilla Björk', 'audio', 35), (5, 'Changeover', 'stage', 20), (6, 'Video: river film', 'video', 4),
  (7, 'Second act: Mareld', 'audio', 45), (8, 'Changeover and line check', 'audio', 25),
  (9, 'Fireworks safety hold', 'site', 5), (10, 'Headliner: Sable & The Tide', 'audio', 75),
  (11, 'Confetti', 'stage', 1), (12, 'Encore', 'audio', 12), (13, 'House lights up', 'lighting', 1),
  (14, 'Egress', 'site', 40)
) as seed (n, title, department, minutes);

insert into public.bookings
  (id, workspace_id, production_id, company_id, location_id, title, type, status, starts_at, ends_at, amount, rider)
select pg_temp.seeded('bookings', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), pg_temp.seeded('companies', pg_temp.wrap(n * 7, 12)),
  pg_temp.seeded('locations', pg_temp.wrap(n, 7)), title, type,
  (enum_range(null::public.booking_status))[1 + n % 3], now() + make_interval(days => n::integer),
  now() + make_interval(days => n::integer, hours => 8), 400 + n * 137.50,
  jsonb_build_object('people', 1 + n % 6, 'vegetarian', n % 3)
from unnest(
  array['Lilla Björk', 'Mareld', 'Night coach, Oslo to Helsinki', 'Concert grand', 'DJ Polstjärna',
    'Mobile studio truck', 'Organist', 'Simultaneous interpreters', 'Brass band Tre Toner', 'Projector 20k',
    'Aerial straps artist', 'Photographer', 'Generator 200 kVA', 'Hotel, 14 rooms'],
  array['artist', 'artist', 'transport', 'equipment', 'artist', 'equipment', 'artist', 'service', 'artist',
    'equipment', 'artist', 'service', 'equipment', 'hotel']
) with ordinality as seed (title, type, n);

insert into public.incidents
  (id, workspace_id, production_id, event_id, location_id, title, type, severity, status, reported_by, occurred_at, resolved_at)
select pg_temp.seeded('incidents', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('productions', 1),
  pg_temp.seeded('events', 1), pg_temp.seeded('locations', 1), title, type, severity::public.incident_severity,
  status::public.incident_status, pg_temp.seeded('personnel', n + 9), now() - make_interval(hours => n::integer * 3),
  case status when 'resolved' then now() - make_interval(hours => n::integer) end
from (values
  (1, 'Radio channel 3 interference', 'technical', 'minor', 'resolved'),
  (2, 'Guest with heat stroke', 'medical', 'moderate', 'resolved'),
  (3, 'Fence down at gate C', 'security', 'moderate', 'investigating'),
  (4, 'Dimmer 7 trips', 'technical', 'major', 'open'),
  (5, 'Lost child, blue jacket', 'welfare', 'major', 'resolved')
) as seed (n, title, type, severity, status);

insert into public.time_entries
  (id, workspace_id, production_id, task_id, personnel_id, work_date, hours, rate, status, notes)
select pg_temp.seeded('time_entries', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), pg_temp.seeded('project_tasks', n),
  pg_temp.seeded('personnel', pg_temp.wrap(n, 18)), current_date - (n % 6)::integer, 2 + n % 5 * 1.5, 35 + n,
  (array['draft', 'submitted', 'approved'])[1 + n % 3], (array['Load-in', 'Rehearsal', 'Show', 'Load-out'])[1 + n % 4]
from generate_series(1, 20) as n;

insert into public.assets
  (id, workspace_id, location_id, name, tag, type, status, quantity, purchase_price, purchased_on, specs)
select pg_temp.seeded('assets', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('locations', 8), name,
  'NL-' || lpad(n::text, 4, '0'), type, 'available', quantity, price, current_date - (n * 40)::integer,
  jsonb_build_object('weight_kg', n * 3.5, 'case', n % 2 = 0)
from (values
  (1, 'Digital console 96', 'audio', 1, 38000), (2, 'Line array cabinet', 'audio', 24, 4200),
  (3, 'Wireless microphone', 'audio', 16, 900), (4, 'Stage box 32', 'audio', 4, 2100),
  (5, 'Moving head spot', 'lighting', 40, 3100), (6, 'LED batten', 'lighting', 60, 480),
  (7, 'Hazer', 'lighting', 4, 1250), (8, 'Follow spot', 'lighting', 3, 2900),
  (9, 'LED wall panel', 'video', 120, 1350), (10, 'Vision mixer', 'video', 1, 9800),
  (11, 'Chain hoist 500 kg', 'rigging', 20, 1700), (12, 'Truss 3 m', 'rigging', 48, 420),
  (13, 'Two-way radio', 'comms', 60, 210), (14, 'Golf cart', 'site', 5, 6400),
  (15, 'First aid kit', 'safety', 12, 95), (16, 'Battery unit 45 kWh', 'power', 6, 14500)
) as seed (n, name, type, quantity, price);

insert into public.asset_transactions
  (id, workspace_id, production_id, asset_id, personnel_id, type, quantity, occurred_at, due_back_at, notes)
select pg_temp.seeded('asset_transactions', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), pg_temp.seeded('assets', n),
  pg_temp.seeded('personnel', pg_temp.wrap(n * 3, 18)), (array['check_in', 'check_out'])[1 + n % 2], 1 + n % 4,
  now() - make_interval(hours => n::integer * 5), now() + make_interval(days => n::integer), 'Counted twice'
from generate_series(1, 12) as n;

insert into public.files
  (id, workspace_id, production_id, name, path, mime_type, size_bytes, version, tags, uploaded_by)
select pg_temp.seeded('files', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), name, 'productions/' || pg_temp.wrap(n, 12) || '/' || name, mime,
  20000 + n * 73111, 1 + n % 3, array['shared'], current_setting('prt.member')::uuid
from unnest(
  array['stage-plot.pdf', 'tour-routing.xlsx', 'prompt-book.pdf', 'score-act-1.pdf', 'line-up.png', 'mic-chart.pdf',
    'seating.svg', 'keynote-v9.pptx', 'route-map.png', 'dcp-checksums.txt', 'rigging-loads.pdf', 'guest-list.csv',
    'evacuation-plan.pdf', 'band-photo.jpg'],
  array['application/pdf', 'application/vnd.ms-excel', 'application/pdf', 'application/pdf', 'image/png',
    'application/pdf', 'image/svg+xml', 'application/vnd.ms-powerpoint', 'image/png', 'text/plain', 'application/pdf',
    'text/csv', 'application/pdf', 'image/jpeg']
) with ordinality as seed (name, mime, n);

insert into public.budgets (id, workspace_id, production_id, name, category, amount, committed, spent)
select pg_temp.seeded('budgets', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), name, category, amount, amount * 0.1, 0
from (values
  (1, 'Festival, technical', 'technical', 48000), (2, 'Tour, travel', 'travel', 26000),
  (3, 'Hamlet, set and costume', 'art', 18500), (4, 'Opera, artists', 'artists', 31000),
  (5, 'Label Night, technical', 'technical', 9000), (6, 'Sessions, studio', 'technical', 12000),
  (7, 'Choir Week, hospitality', 'hospitality', 14000), (8, 'Launch, video and stream', 'technical', 22000),
  (9, 'Parade, site', 'site', 7500), (10, 'Cinema, licences', 'rights', 6000),
  (11, 'Circus, artists', 'artists', 24000), (12, 'Gala, hospitality', 'hospitality', 8000),
  (13, 'Festival, site', 'site', 36000), (14, 'Tour, technical', 'technical', 21000)
) as seed (n, name, category, amount);

-- A trigger adds these transactions to the budgets' `spent`.
insert into public.financial_transactions
  (id, workspace_id, production_id, budget_id, company_id, type, category, amount, description, reference, occurred_at)
select pg_temp.seeded('financial_transactions', n), pg_temp.seeded('workspaces', 1), budgets.production_id, budgets.id,
  pg_temp.seeded('companies', pg_temp.wrap(n * 5, 12)), 'expense', budgets.category,
  round(budgets.amount * (0.2 + n % 5 * 0.06), 2),
  (array['Deposit', 'Materials', 'Hire, first week', 'Crew advance', 'Transport'])[1 + n % 5], 'TX-' || 2000 + n,
  now() - make_interval(hours => 60 - n::integer)
from generate_series(1, 28) as n
join public.budgets on budgets.id = pg_temp.seeded('budgets', pg_temp.wrap(n, 14));

insert into public.invoices
  (id, workspace_id, production_id, company_id, type, status, amount, tax, lines, issued_on, due_date, paid_at)
select pg_temp.seeded('invoices', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('productions', n),
  pg_temp.seeded('companies', n), (array['payable', 'receivable'])[1 + n % 2],
  (enum_range(null::public.invoice_status))[1 + n % 4], 900 + n * 310, (900 + n * 310) * 0.25,
  jsonb_build_array(jsonb_build_object('text', 'As agreed', 'quantity', 1, 'price', 900 + n * 310)),
  current_date - (n * 3)::integer, current_date + (30 - n * 3)::integer, case when n % 4 = 3 then now() end
from generate_series(1, 12) as n;

insert into public.purchase_orders
  (id, workspace_id, production_id, budget_id, company_id, title, status, amount, lines, expected_on)
select pg_temp.seeded('purchase_orders', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('productions', n),
  pg_temp.seeded('budgets', n), pg_temp.seeded('companies', pg_temp.wrap(n * 5, 12)), title,
  (enum_range(null::public.purchase_order_status))[1 + n % 4], 250 + n * 180.25,
  jsonb_build_array(jsonb_build_object('text', title, 'quantity', n)), current_date + n::integer
from unnest(array['Gaffer tape, 40 rolls', 'Bus diesel', 'Oak planks', 'Piano transport', 'Drum skins',
  'Tape stock', 'Choir folders', 'Autocue hire', 'Road signs', 'Deck chair repair']
) with ordinality as seed (title, n);

insert into public.approval_requests
  (id, workspace_id, production_id, title, type, status, entity_type, entity_id, amount, requested_by, due_date)
select pg_temp.seeded('approval_requests', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('productions', n), title,
  (array['expense', 'overtime', 'purchase'])[1 + n % 3], 'pending', 'purchase_orders',
  pg_temp.seeded('purchase_orders', n), 300 + n * 95, pg_temp.seeded('personnel', pg_temp.wrap(n * 4, 18)),
  current_date + n::integer
from unnest(array['Second follow spot', 'Overtime, Oslo load-out', 'Extra costume day', 'Rehearsal pianist',
  'Longer line array hire', 'Late studio night', 'Organ tuner', 'Second interpreter']
) with ordinality as seed (title, n);

insert into public.community_posts (id, workspace_id, user_id, type, title, body, tags, likes, is_pinned)
select pg_temp.seeded('community_posts', n), pg_temp.seeded('workspaces', 1), current_setting('prt.member')::uuid,
  (array['post', 'question', 'offer'])[1 + n % 3], title, body, array['crew'], n * 2, n = 1
from unnest(
  array['Call sheet for day one', 'Who has a spare DI box?', 'Car to Stockholm, two seats', 'Radio etiquette',
    'Rain ponchos in the office', 'Thank you, night crew', 'Lost: black multitool', 'Photos from the sound check'],
  array['Crew breakfast from 06:30, doors at 14:00.', 'Channel 14 hums, need one until Sunday.',
    'Leaving Tuesday after load-out.', 'Keep channel 1 free for the show caller.', 'Take one, bring it back dry.',
    'The stage was swept at four in the morning.', 'Engraved K.L., somewhere near monitor world.',
    'In the shared folder, please credit Elsa.']
) with ordinality as seed (title, body, n);

insert into public.connections (id, workspace_id, user_id, requester_id, recipient_id, type, status, message)
select pg_temp.seeded('connections', n), pg_temp.seeded('workspaces', 1), current_setting('prt.member')::uuid,
  pg_temp.seeded('personnel', n), pg_temp.seeded('personnel', n + 8), (array['colleague', 'mentor'])[1 + n % 2],
  (enum_range(null::public.connection_status))[1 + n % 2], 'We met at the spring load-in.'
from generate_series(1, 8) as n;

insert into public.marketplace_orders
  (id, workspace_id, production_id, company_id, title, status, items, quantity, amount)
select pg_temp.seeded('marketplace_orders', n), pg_temp.seeded('workspaces', 1), pg_temp.seeded('productions', n),
  pg_temp.seeded('companies', pg_temp.wrap(n * 3, 12)), title,
  (enum_range(null::public.order_status))[1 + n % 4],
  jsonb_build_array(jsonb_build_object('sku', 'SKU-' || n, 'text', title)), 5 * n, 45.90 * n
from unnest(array['Festival shirts', 'Tour posters', 'Harbour blankets', 'Ear plugs', 'Label tote bags',
  'Vinyl, first pressing', 'Choir mugs', 'Reusable cups']
) with ordinality as seed (title, n);

insert into public.comments (id, workspace_id, production_id, user_id, entity_id, body)
select pg_temp.seeded('comments', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), current_setting('prt.member')::uuid,
  pg_temp.seeded('project_tasks', n), body
from unnest(array['Drummer is left-handed, mirror the plot.', 'Oslo dock closes at 22:00.', 'Upstage left, with fog.',
  'A440 or A442?', 'Two are signed.', 'Spaced pair, please.', 'Reed stops last.', 'Autocue font is too small.',
  'Police want it in writing.', 'Courier comes Tuesday.', 'Anchor 4 needs a second look.', 'Use the good paper.']
) with ordinality as seed (body, n);

insert into public.activities (id, workspace_id, production_id, user_id, action, entity_type, entity_id, summary, created_at)
select pg_temp.seeded('activities', n), pg_temp.seeded('workspaces', 1),
  pg_temp.seeded('productions', pg_temp.wrap(n, 12)), current_setting('prt.member')::uuid,
  (array['created', 'updated', 'completed', 'commented'])[1 + n % 4], 'project_tasks',
  pg_temp.seeded('project_tasks', n), 'Maya looked after task ' || n, now() - make_interval(mins => (17 - n::integer) * 9)
from generate_series(1, 16) as n;

insert into public.user_presence (id, workspace_id, user_id, status, device, location) values
  (pg_temp.seeded('user_presence', 1), pg_temp.seeded('workspaces', 1), current_setting('prt.member')::uuid,
    'online', 'web', '/productions'),
  (pg_temp.seeded('user_presence', 2), pg_temp.seeded('workspaces', 1), current_setting('prt.member')::uuid,
    'away', 'phone', '/run-of-show');

insert into public.notifications (id, workspace_id, user_id, type, title, message, read_at)
select pg_temp.seeded('notifications', n), pg_temp.seeded('workspaces', 1), current_setting('prt.member')::uuid, type,
  title, message, case when n < 4 then now() - interval '1 hour' end
from unnest(
  array['task', 'budget', 'booking', 'incident', 'approval', 'mention'],
  array['Task assigned', 'Budget at 80 %', 'Booking confirmed', 'Incident reported', 'Approval wanted', 'You were mentioned'],
  array['Confirm stage plot with headliner', 'Circus, artists', 'Mareld, second act', 'Dimmer 7 trips',
    'Second follow spot', 'Ines: can you call the encore?']
) with ordinality as seed (type, title, message, n);
