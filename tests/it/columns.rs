//! Every column of the design record's six tables can be read through the API.

use prost_reflect::DescriptorPool;

/// Columns, each with the field that shows it.
type Columns = &'static [(&'static str, &'static str)];

/// Table, message and columns.
const TABLES: [(&str, &str, Columns); 6] = [
    (
        "users",
        "User",
        &[
            ("steam_id", "steam_id"),
            ("display_name", "display_name"),
            ("avatar_url", "avatar_url"),
            ("profile_url", "profile_url"),
            ("account_created_at", "account_create_time"),
            ("country_code", "country_code"),
            ("first_seen_at", "first_seen_time"),
            ("last_seen_at", "last_seen_time"),
            ("created_at", "create_time"),
            ("updated_at", "update_time"),
        ],
    ),
    (
        "items",
        "Item",
        &[
            ("id", "id"),
            ("steam_asset_id", "asset.asset_id"),
            ("steam_class_id", "asset.class_id"),
            ("steam_instance_id", "asset.instance_id"),
            ("steam_app_id", "asset.app_id"),
            ("market_hash_name", "market_hash_name"),
            ("market_value", "market_value"),
            ("item_name", "item_name"),
            ("item_type", "item_type"),
            ("item_rarity", "item_rarity"),
            ("steam_metadata", "steam_metadata"),
            ("custom_metadata", "custom_metadata"),
            ("status", "state"),
            ("received_at", "receive_time"),
            ("received_from_user_id", "received_from_user_id"),
            ("received_via", "received_via"),
            ("assigned_to_user_id", "assigned_to_user_id"),
            ("assigned_at", "assign_time"),
            ("delivered_at", "deliver_time"),
            ("delivery_trade_offer_id", "delivery_trade_offer_id"),
            ("created_at", "create_time"),
            ("updated_at", "update_time"),
        ],
    ),
    (
        "assignments",
        "Assignment",
        &[
            ("id", "id"),
            ("user_id", "user_id"),
            ("assignment_type", "assignment_type"),
            ("assignment_reason", "assignment_reason"),
            ("external_system", "external_system"),
            ("external_context", "external_context"),
            ("total_items_count", "total_items_count"),
            ("total_estimated_value", "total_estimated_value"),
            ("assignment_priority", "assignment_priority"),
            ("status", "state"),
            ("assigned_at", "assign_time"),
            ("processing_started_at", "processing_start_time"),
            ("delivered_at", "deliver_time"),
            ("failed_at", "fail_time"),
            ("cancelled_at", "cancel_time"),
            ("delivery_attempts", "delivery_attempts"),
            ("last_delivery_attempt_at", "last_delivery_attempt_time"),
            ("delivery_error_message", "delivery_error_message"),
            ("delivery_trade_offer_id", "delivery_trade_offer_id"),
            ("created_at", "create_time"),
            ("updated_at", "update_time"),
        ],
    ),
    (
        "assignment_items",
        "Assignment",
        &[
            ("assignment_id", "id"),
            ("item_id", "items.item_id"),
            ("item_value_at_assignment", "items.item_value_at_assignment"),
            ("item_name_at_assignment", "items.item_name_at_assignment"),
            ("delivered_at", "items.deliver_time"),
            ("delivery_status", "items.delivery_status"),
            ("created_at", "items.create_time"),
        ],
    ),
    (
        "inventory_sync_log",
        "Sync",
        &[
            ("id", "id"),
            ("sync_started_at", "start_time"),
            ("sync_completed_at", "complete_time"),
            ("sync_status", "state"),
            ("steam_inventory_count", "steam_inventory_count"),
            ("database_available_count", "database_available_count"),
            ("database_assigned_count", "database_assigned_count"),
            ("database_delivered_count", "database_delivered_count"),
            ("database_total_count", "database_total_count"),
            ("items_added_count", "items_added_count"),
            ("items_removed_count", "items_removed_count"),
            ("items_updated_count", "items_updated_count"),
            ("discrepancies_found", "discrepancies_found"),
            ("error_message", "error_message"),
            ("error_details", "error_details"),
            ("sync_duration_ms", "sync_duration_ms"),
            ("created_at", "create_time"),
        ],
    ),
    (
        "system_events",
        "Event",
        &[
            ("id", "id"),
            ("event_type", "event_type"),
            ("event_category", "event_category"),
            ("event_description", "event_description"),
            ("user_id", "user_id"),
            ("item_id", "item_id"),
            ("assignment_id", "assignment_id"),
            ("external_system", "external_system"),
            ("event_data", "event_data"),
            ("severity", "severity"),
            ("source", "source"),
            ("created_at", "create_time"),
        ],
    ),
];

#[test]
fn every_column_of_the_design_record_is_a_field_of_the_contract() {
    let pool = DescriptorPool::decode(astro_sdk::file_descriptor_set()).unwrap();
    for (table, message, columns) in TABLES {
        for (column, path) in columns {
            let name = format!("astro.v1.{message}");
            let mut found = pool.get_message_by_name(&name);
            let mut parts = path.split('.').peekable();
            while let Some(part) = parts.next() {
                let at = found.unwrap_or_else(|| panic!("{table}.{column}: no message at {path}"));
                let field = at.get_field_by_name(part);
                let field = field.unwrap_or_else(|| panic!("{table}.{column}: no field {path}"));
                found = field.kind().as_message().cloned();
                assert!(parts.peek().is_none() || found.is_some(), "{table}.{column}: {path}");
            }
        }
    }
}
