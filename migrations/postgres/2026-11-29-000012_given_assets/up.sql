-- What comes back in a reversed trade may have been given away again: asked by the asset.
CREATE INDEX assignment_items_by_given_asset ON assignment_items (given_asset_id) WHERE given_asset_id IS NOT NULL;
