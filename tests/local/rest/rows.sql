truncate authors, books, shelves, books_shelves, covers, "odd ""table%s", notes restart identity;
insert into authors (name, born, tags, profile) values
  ('Ursula', '1929-10-21', '{sf,fantasy}', '{"home": {"city": "Portland"}, "awards": [6, 8], "alive": false}'),
  ('Stanisław', '1921-09-12', '{sf}', '{"home": {"city": "Kraków"}}'),
  ('N. K.', '1972-09-19', '{fantasy}', '{"alive": true}');
update authors set mentor_id = 1 where id = 3;
insert into books values
  (1, 1, 3, 'The Dispossessed', 12.50, 9007199254740993, '[1,341)', true, '1974-05-01 12:00:00+00'),
  (2, 1, null, 'A Wizard, of Earthsea', 8.00, null, '[1,205)', true, null),
  (3, 2, 1, 'Solaris', 10.00, 5, '[1,204)', false, '1961-06-01 00:00:00.123456+00'),
  (4, 3, null, 'The Fifth Season', null, 0, null, null, null);
insert into shelves values (1, 'space'), (2, 'magic');
insert into books_shelves values (1, 1), (3, 1), (2, 2), (4, 2), (4, 1);
insert into covers values (1, 'red');
insert into "odd ""table%s" values (1, 'it''s', 'row', 'r');
insert into notes values (1, '11111111-1111-1111-1111-111111111111', 'mine'), (2, '22222222-2222-2222-2222-222222222222', 'yours');
